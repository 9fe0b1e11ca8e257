package io.baton.transfer;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.inprocess.InProcessSocketAddress;

/** A transport that hands streams over instead of bytes. */
class InProcessTransferTest extends TransferContract {

    @Override
    Server serve(TestingPrefill prefill) throws Exception {
        return InProcessServerBuilder.forName(InProcessServerBuilder.generateName())
                .addServices(prefill.services())
                .build()
                .start();
    }

    @Override
    ManagedChannel connect(Server server) {
        InProcessSocketAddress address =
                (InProcessSocketAddress) server.getListenSockets().getFirst();
        return InProcessChannelBuilder.forName(address.getName()).build();
    }
}

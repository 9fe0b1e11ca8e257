package io.baton.transfer;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.logging.Level;
import java.util.logging.Logger;

/** HTTP/2 over TCP, as between nodes. */
class LoopbackTransferTest extends TransferContract {

    /** Warns of every stream that a peer resets while bytes are queued, which is what these tests do. */
    private static final Logger STREAM_ERRORS =
            Logger.getLogger("io.grpc.netty.shaded.io.grpc.netty.NettyServerHandler");

    static {
        STREAM_ERRORS.setLevel(Level.SEVERE);
    }

    @Override
    Server serve(TestingPrefill prefill) throws Exception {
        return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addServices(prefill.services())
                .build()
                .start();
    }

    @Override
    ManagedChannel connect(Server server) {
        return NettyChannelBuilder.forAddress(server.getListenSockets().getFirst())
                .usePlaintext()
                .flowControlWindow(4 << 20)
                .build();
    }
}

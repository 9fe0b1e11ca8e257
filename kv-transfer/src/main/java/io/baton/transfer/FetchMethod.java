package io.baton.transfer;

import io.baton.proto.v1.FetchRequest;
import io.baton.proto.v1.KvTransferGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;

/** {@code baton.v1.KvTransfer/Fetch} with frames marshalled by hand; its schema is the generated one. */
public final class FetchMethod {

    private static final MethodDescriptor<FetchRequest, OutgoingFrame> SERVER =
            KvTransferGrpc.getFetchMethod().toBuilder(
                            KvTransferGrpc.getFetchMethod().getRequestMarshaller(), new FrameMarshaller.Sending())
                    .build();

    private FetchMethod() {}

    /** The {@code KvTransfer} service, answered by {@code handler}. */
    public static ServerServiceDefinition service(ServerCallHandler<FetchRequest, OutgoingFrame> handler) {
        ServiceDescriptor service = ServiceDescriptor.newBuilder(KvTransferGrpc.SERVICE_NAME)
                .setSchemaDescriptor(KvTransferGrpc.getServiceDescriptor().getSchemaDescriptor())
                .addMethod(SERVER)
                .build();
        return ServerServiceDefinition.builder(service)
                .addMethod(SERVER, handler)
                .build();
    }

    /** The method for one call, whose frames go to {@code receiver} and nowhere else. */
    static MethodDescriptor<FetchRequest, KvReceiver.Frame> client(KvReceiver receiver) {
        return KvTransferGrpc.getFetchMethod().toBuilder(
                        KvTransferGrpc.getFetchMethod().getRequestMarshaller(), new FrameMarshaller.Receiving(receiver))
                .build();
    }
}

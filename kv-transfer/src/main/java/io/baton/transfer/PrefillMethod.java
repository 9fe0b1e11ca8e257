package io.baton.transfer;

import io.baton.proto.v1.PrefillControl;
import io.baton.proto.v1.PrefillGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;

/** {@code baton.v1.Prefill/Prefill} with frames marshalled by hand; its schema is the generated one. */
public final class PrefillMethod {

    private static final MethodDescriptor<PrefillControl, OutgoingFrame> SERVER =
            PrefillGrpc.getPrefillMethod().toBuilder(
                            PrefillGrpc.getPrefillMethod().getRequestMarshaller(), new FrameMarshaller.Sending())
                    .build();

    private PrefillMethod() {}

    /** The {@code Prefill} service, answered by {@code handler}. */
    public static ServerServiceDefinition service(ServerCallHandler<PrefillControl, OutgoingFrame> handler) {
        ServiceDescriptor service = ServiceDescriptor.newBuilder(PrefillGrpc.SERVICE_NAME)
                .setSchemaDescriptor(PrefillGrpc.getServiceDescriptor().getSchemaDescriptor())
                .addMethod(SERVER)
                .build();
        return ServerServiceDefinition.builder(service)
                .addMethod(SERVER, handler)
                .build();
    }

    /** The method for one call, whose frames go to {@code receiver} and nowhere else. */
    static MethodDescriptor<PrefillControl, KvReceiver.Frame> client(KvReceiver receiver) {
        return PrefillGrpc.getPrefillMethod().toBuilder(
                        PrefillGrpc.getPrefillMethod().getRequestMarshaller(), new FrameMarshaller.Receiving(receiver))
                .build();
    }
}

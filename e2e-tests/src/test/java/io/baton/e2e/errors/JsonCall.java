package io.baton.e2e.errors;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.baton.proto.v1.DecodeGrpc;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.PrefillGrpc;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A call as {@code grpcurl} makes it: one request, given as JSON.
 *
 * @param method {@code package.Service/Method}
 */
record JsonCall(String target, String method, String json) {

    private static final List<ServiceDescriptor> SERVICES = List.of(
            InferenceGrpc.getServiceDescriptor(),
            DecodeGrpc.getServiceDescriptor(),
            PrefillGrpc.getServiceDescriptor());

    /** Of {@code -plaintext -d JSON TARGET METHOD}. */
    static JsonCall parse(List<String> words) {
        if (words.size() != 5 || !words.subList(0, 2).equals(List.of("-plaintext", "-d"))) {
            throw new IllegalArgumentException("expected -plaintext -d JSON TARGET METHOD, found " + words);
        }
        return new JsonCall(words.get(3), words.get(4), words.get(2));
    }

    Outcome outcome() {
        ManagedChannel channel = NettyChannelBuilder.forTarget(target, InsecureChannelCredentials.create())
                .build();
        try {
            Status status = status(channel, descriptor());
            return new Outcome(status.getCode().name(), ErrorRow.NONE, String.valueOf(status.getDescription()), "");
        } finally {
            channel.shutdownNow();
        }
    }

    private MethodDescriptor<?, ?> descriptor() {
        return SERVICES.stream()
                .<MethodDescriptor<?, ?>>flatMap(service -> service.getMethods().stream())
                .filter(found -> found.getFullMethodName().equals(method))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no method " + method));
    }

    private <Q, A> Status status(ManagedChannel channel, MethodDescriptor<Q, A> descriptor) {
        CompletableFuture<Status> ended = new CompletableFuture<>();
        ClientCall<Q, A> call = channel.newCall(descriptor, CallOptions.DEFAULT);
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(A message) {
                        call.request(1);
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        ended.complete(status);
                    }
                },
                new Metadata());
        call.request(1);
        call.sendMessage(request(descriptor));
        call.halfClose();
        return ended.join();
    }

    @SuppressWarnings("unchecked") // the builder is of the prototype's type, which is the method's request
    private <Q> Q request(MethodDescriptor<Q, ?> descriptor) {
        MethodDescriptor.PrototypeMarshaller<Q> marshaller =
                (MethodDescriptor.PrototypeMarshaller<Q>) descriptor.getRequestMarshaller();
        Message.Builder builder = ((Message) marshaller.getMessagePrototype()).newBuilderForType();
        try {
            JsonFormat.parser().merge(json, builder);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(json, e);
        }
        return (Q) builder.build();
    }
}

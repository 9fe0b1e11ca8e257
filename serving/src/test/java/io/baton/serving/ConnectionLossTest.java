package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.TokenizeRequest;
import io.baton.proto.v1.TokenizeResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ConnectionLossTest {

    @Test
    void aConnectionThatBreaksWhileTheCallIsWrittenMakesThePeerUnavailable() {
        ClosedChannelException cause = new ClosedChannelException();
        Status told = told(Status.UNKNOWN.withDescription("channel closed").withCause(cause));
        assertThat(told.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(told.getDescription()).isEqualTo("channel closed");
        assertThat(told.getCause()).isSameAs(cause);
    }

    @ParameterizedTest
    @EnumSource(Status.Code.class)
    void whatAPeerSaysIsPassedOn(Status.Code code) {
        Status said = code.toStatus().withDescription("as it says");
        assertThat(told(said)).isSameAs(said);
    }

    @Test
    void anotherFailureOfThisSideIsPassedOn() {
        Status failed = Status.UNKNOWN.withCause(new IOException("no memory"));
        assertThat(told(failed)).isSameAs(failed);
    }

    /** With what a call ends that the transport ends with {@code status}. */
    private static Status told(Status status) {
        CompletableFuture<Status> told = new CompletableFuture<>();
        ClientCall<TokenizeRequest, TokenizeResponse> call = new ConnectionLoss()
                .interceptCall(InferenceGrpc.getTokenizeMethod(), CallOptions.DEFAULT, new Ending(status));
        call.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onClose(Status end, Metadata trailers) {
                        told.complete(end);
                    }
                },
                new Metadata());
        return told.join();
    }

    /** Its calls end as soon as they are started. */
    private static final class Ending extends Channel {

        private final Status status;

        Ending(Status status) {
            this.status = status;
        }

        @Override
        public <ReqT, RespT> ClientCall<ReqT, RespT> newCall(
                MethodDescriptor<ReqT, RespT> method, CallOptions options) {
            return new ClientCall<>() {
                @Override
                public void start(Listener<RespT> listener, Metadata headers) {
                    listener.onClose(status, new Metadata());
                }

                @Override
                public void request(int messages) {}

                @Override
                public void cancel(String message, Throwable cause) {}

                @Override
                public void halfClose() {}

                @Override
                public void sendMessage(ReqT message) {}
            };
        }

        @Override
        public String authority() {
            return "test";
        }
    }
}

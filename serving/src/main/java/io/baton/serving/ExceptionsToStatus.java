package io.baton.serving;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes a call whose service threw with the status of that exception, instead of gRPC's UNKNOWN. Streams that end by
 * {@code onError} do not come this way; they use {@link Statuses#exception}.
 */
final class ExceptionsToStatus implements ServerInterceptor {

    private static final Logger LOG = LoggerFactory.getLogger(ExceptionsToStatus.class);

    private final Statuses statuses;

    ExceptionsToStatus(Statuses statuses) {
        this.statuses = statuses;
    }

    @Override
    public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
            ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
        ServerCall.Listener<ReqT> listener;
        try {
            listener = next.startCall(call, headers);
        } catch (RuntimeException e) {
            close(call, e);
            return new ServerCall.Listener<>() {};
        }
        return new SimpleForwardingServerCallListener<>(listener) {
            @Override
            public void onMessage(ReqT message) {
                guarded(() -> super.onMessage(message));
            }

            @Override
            public void onHalfClose() {
                guarded(super::onHalfClose);
            }

            @Override
            public void onReady() {
                guarded(super::onReady);
            }

            private void guarded(Runnable callback) {
                try {
                    callback.run();
                } catch (RuntimeException e) {
                    close(call, e);
                }
            }
        };
    }

    private void close(ServerCall<?, ?> call, RuntimeException thrown) {
        Status status = statuses.of(thrown);
        if (status.getCode() == Status.Code.INTERNAL) {
            LOG.error("{} failed", call.getMethodDescriptor().getFullMethodName(), thrown);
        }
        Metadata trailers = Status.trailersFromThrowable(thrown);
        try {
            call.close(status, trailers == null ? new Metadata() : trailers);
        } catch (IllegalStateException alreadyClosed) {
            LOG.debug("the call had already ended", alreadyClosed);
        }
    }
}

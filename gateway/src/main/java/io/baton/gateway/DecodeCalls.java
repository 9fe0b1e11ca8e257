package io.baton.gateway;

import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeGrpc;
import io.baton.proto.v1.DecodeRequest;
import io.baton.serving.Channels;
import io.baton.serving.PeerRole;
import io.baton.serving.telemetry.TraceInterceptors;
import io.grpc.ClientInterceptors;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Opens decode streams. Deadline, cancellation and trace are those of the gRPC context the call is made in. */
final class DecodeCalls {

    private static final long LOOK_AROUND_MILLIS = 500;
    private static final long STALL_MILLIS = 3_500; // three missed heartbeats, as routing counts them

    private final Channels channels;
    private final TraceInterceptors traces;
    private final Cluster cluster;

    DecodeCalls(Channels channels, TraceInterceptors traces, Cluster cluster) {
        this.channels = channels;
        this.traces = traces;
        this.cluster = cluster;
    }

    Stream open(String node, DecodeRequest request) {
        return new Stream(
                node,
                DecodeGrpc.newBlockingV2Stub(
                                ClientInterceptors.intercept(channels.control(node, PeerRole.DECODE), traces.client()))
                        .decode(request));
    }

    /** One decode stream; reads ahead by one message at most. Confined to the request's thread. */
    final class Stream implements AutoCloseable {

        private final String node;
        private final BlockingClientCall<?, DecodeEvent> call;

        private Stream(String node, BlockingClientCall<?, DecodeEvent> call) {
            this.node = node;
            this.call = call;
        }

        /**
         * The next event; null when the stream ended with OK.
         *
         * @throws StatusException what it ended with instead; UNAVAILABLE when the node gives neither event nor
         *     heartbeat
         */
        @Nullable
        DecodeEvent next() throws StatusException {
            while (true) {
                try {
                    return call.read(LOOK_AROUND_MILLIS, TimeUnit.MILLISECONDS);
                } catch (TimeoutException e) {
                    if (cluster.silentMillis(node) >= STALL_MILLIS) {
                        throw Status.UNAVAILABLE
                                .withDescription("%s has sent neither token nor heartbeat for 3 s".formatted(node))
                                .asException();
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw Status.UNAVAILABLE
                            .withDescription("the gateway is shutting down")
                            .withCause(e)
                            .asException();
                }
            }
        }

        /** Cancels the call unless it has ended. */
        @Override
        public void close() {
            call.cancel("the gateway needs nothing more of it", null);
        }
    }
}

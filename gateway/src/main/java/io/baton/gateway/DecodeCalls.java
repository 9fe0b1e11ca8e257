package io.baton.gateway;

import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeGrpc;
import io.baton.proto.v1.DecodeRequest;
import io.baton.serving.Channels;
import io.baton.serving.PeerRole;
import io.baton.serving.telemetry.TraceInterceptors;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ClientStreamTracer;
import io.grpc.ClientStreamTracer.StreamInfo;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
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
        Marks marks = new Marks();
        return new Stream(
                node,
                marks,
                DecodeGrpc.newBlockingV2Stub(ClientInterceptors.intercept(
                                channels.control(node, PeerRole.DECODE), marks, traces.client()))
                        .decode(request));
    }

    /**
     * When one stream's request left this process, and when each message reached it: as the transport's thread saw it,
     * which on a busy machine is milliseconds after the request's thread let go, or before it wakes up to read.
     */
    private static final class Marks extends ClientStreamTracer implements ClientInterceptor {

        private final Queue<Long> arrivals = new ConcurrentLinkedQueue<>();
        private volatile long leftNanos = System.nanoTime(); // until it is known

        @Override
        public <Q, S> ClientCall<Q, S> interceptCall(MethodDescriptor<Q, S> method, CallOptions options, Channel next) {
            return next.newCall(method, options.withStreamTracerFactory(new ClientStreamTracer.Factory() {
                @Override
                public ClientStreamTracer newClientStreamTracer(StreamInfo stream, Metadata headers) {
                    return Marks.this;
                }
            }));
        }

        @Override
        public void outboundHeaders() {
            leftNanos = System.nanoTime();
        }

        @Override
        public void inboundMessage(int number) {
            arrivals.add(System.nanoTime());
        }
    }

    /** One decode stream; reads ahead by one message at most. Confined to the request's thread. */
    final class Stream implements AutoCloseable {

        private final String node;
        private final Marks marks;
        private final BlockingClientCall<?, DecodeEvent> call;
        private long arrivedNanos;

        private Stream(String node, Marks marks, BlockingClientCall<?, DecodeEvent> call) {
            this.node = node;
            this.marks = marks;
            this.call = call;
        }

        String node() {
            return node;
        }

        /** How long ago the request left this process, in nanoseconds. */
        long requestAgeNanos() {
            return System.nanoTime() - marks.leftNanos;
        }

        /** How long ago the event that {@link #next} gave last reached this process, in nanoseconds. */
        long ageNanos() {
            return System.nanoTime() - arrivedNanos;
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
                    DecodeEvent event = call.read(LOOK_AROUND_MILLIS, TimeUnit.MILLISECONDS);
                    Long arrived = event == null ? null : marks.arrivals.poll();
                    arrivedNanos = arrived == null ? System.nanoTime() : arrived;
                    return event;
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

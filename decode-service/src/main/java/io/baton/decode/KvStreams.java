package io.baton.decode;

import io.baton.proto.v1.PrefillStart;
import io.baton.serving.Channels;
import io.baton.serving.PeerRole;
import io.baton.transfer.KvReceiver;
import io.baton.transfer.ReceiveListener;
import io.baton.transfer.ReceivePlan;
import io.baton.transfer.Timing;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The node's KV streams from prefill nodes: who may be dialled, how many at once, on which channels. Each stream pins
 * at most its share of a channel's window, so the bound on streams is a bound on memory. Thread-safe.
 */
final class KvStreams {

    private final PrefillMembers members;
    private final Channels channels;
    private final DecodeTelemetry telemetry;
    private final Executor threads;
    private final Timing timing;
    private final int limit;
    private final AtomicInteger open = new AtomicInteger();
    private final ReceiveRate rate = new ReceiveRate();

    KvStreams(
            PrefillMembers members,
            Channels channels,
            DecodeTelemetry telemetry,
            Executor threads,
            Timing timing,
            int limit) {
        this.members = members;
        this.channels = channels;
        this.telemetry = telemetry;
        this.threads = threads;
        this.timing = timing;
        this.limit = limit;
    }

    PrefillMembers members() {
        return members;
    }

    ReceiveRate rate() {
        return rate;
    }

    int limit() {
        return limit;
    }

    /** Takes the right to one stream at a time; {@link #leave} gives it back. */
    boolean tryEnter() {
        if (open.incrementAndGet() > limit) {
            open.decrementAndGet();
            return false;
        }
        return true;
    }

    void leave() {
        open.decrementAndGet();
    }

    /** A way to a member: one of its channels. */
    Way to(String member) {
        return new Way(channels.kv(member, PeerRole.PREFILL));
    }

    /** One channel to a prefill node, as one attempt uses it. */
    final class Way {

        private final Channel channel;

        private Way(Channel channel) {
            this.channel = channel;
        }

        /**
         * Opens a stream with the deadline and the cancellation of the current gRPC context. That context ends with the
         * answer, which may be sooner than the prefill node has read the acknowledgement: once all is verified, its end
         * no longer cancels the stream.
         */
        KvReceiver receive(PrefillStart.Builder start, ReceivePlan plan, ReceiveListener listener) {
            // A ranked node is believed to live: do not sit out a back-off that began while it did not.
            if (channel instanceof ManagedChannel managed
                    && managed.getState(false) == ConnectivityState.TRANSIENT_FAILURE) {
                managed.resetConnectBackoff();
            }
            Context request = Context.current();
            CallOptions options = CallOptions.DEFAULT.withExecutor(threads);
            Deadline deadline = request.getDeadline();
            Context own = request.fork();
            Context before = own.attach();
            KvReceiver receiver;
            try {
                receiver = KvReceiver.prefill(
                        telemetry.traced(channel),
                        deadline == null ? options : options.withDeadline(deadline),
                        start,
                        plan,
                        listener,
                        timing);
            } finally {
                own.detach(before);
            }
            request.addListener(ended -> receiver.cancel("the request has ended"), Runnable::run);
            return receiver;
        }

        /**
         * Nothing came this way for too long. Its connection may be dead without knowing, which keepalive takes 15 s to
         * find out: the next stream gets a new one, those that run keep theirs.
         */
        void suspect() {
            if (channel instanceof ManagedChannel managed) {
                managed.enterIdle();
            }
        }
    }
}

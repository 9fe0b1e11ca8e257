package io.baton.decode;

import io.baton.engine.GenerationTimes;
import io.baton.proto.v1.TtftParts;
import io.baton.transfer.SenderTimes;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * When a request's first token was where. Every span between two marks is this node's own; what a prefill node reports
 * of its queue and compute is fitted into the span in which it was waited for, so that no part is counted twice and the
 * parts never sum to more than the total. Written by the threads a request passes through, one after the other.
 */
final class FirstTokenTimes {

    private final LongSupplier nanos;
    private final long received;
    private long decided;
    private long remoteEnded; // equals decided when nothing was asked of a prefill node
    private long sampled;
    private @Nullable SenderTimes remote;
    private @Nullable GenerationTimes engine;

    /** @param ageNanos how long ago the request arrived */
    FirstTokenTimes(LongSupplier nanos, long ageNanos) {
        this.nanos = nanos;
        this.received = nanos.getAsLong() - ageNanos;
        this.decided = received;
        this.remoteEnded = received;
    }

    /** The blocks are committed, and it is known where the prompt is to be prefilled. */
    void decided() {
        decided = nanos.getAsLong();
        remoteEnded = decided;
    }

    /** Everything from a prefill node is here and verified. */
    void verified(SenderTimes sender) {
        remoteEnded = nanos.getAsLong();
        remote = sender;
    }

    /** No prefill node delivered; what its attempts took was spent waiting for KV that did not come. */
    void gaveUp() {
        remoteEnded = nanos.getAsLong();
    }

    /** The engine has the first token, and says what its own part of the way took. */
    void sampled(GenerationTimes own) {
        sampled = nanos.getAsLong();
        engine = own;
    }

    /**
     * The parts up to now, when the first token is about to be written. Handing it over to the writer is counted to the
     * first step; waiting for the engine to take up a local prefill, to its queue.
     */
    TtftParts upToNow() {
        GenerationTimes own = engine;
        if (own == null) {
            throw new IllegalStateException("no token was sampled yet");
        }
        long now = nanos.getAsLong();
        Budget total = new Budget(now - received);
        long admission = total.take(decided - received);
        Budget wait = new Budget(total.take(remoteEnded - decided));
        long queue;
        long fetch = 0;
        long compute;
        SenderTimes sender = remote;
        if (sender != null) {
            queue = wait.take(sender.queued().toNanos());
            fetch = wait.take(sender.prefixFetch().toNanos());
            compute = wait.take(sender.compute().toNanos());
        } else {
            long computed = own.prefillCompute().toNanos();
            queue = total.take(
                    sampled - remoteEnded - computed - own.firstStep().toNanos());
            compute = total.take(computed);
        }
        long firstStep =
                total.take(sender != null ? now - remoteEnded : own.firstStep().toNanos() + now - sampled);
        TtftParts.Builder parts = TtftParts.newBuilder()
                .setTotalMicros(micros(now - received))
                .setDecodeAdmissionMicros(micros(admission))
                .setPrefillQueueMicros(micros(queue))
                .setPrefixFetchMicros(micros(fetch))
                .setPrefillComputeMicros(micros(compute))
                .setExposedTransferMicros(micros(wait.left))
                .setFirstStepMicros(micros(firstStep));
        return parts.setUnattributedMicros(parts.getTotalMicros() - sum(parts)).build();
    }

    private static long sum(TtftParts.Builder parts) {
        return parts.getDecodeAdmissionMicros()
                + parts.getPrefillQueueMicros()
                + parts.getPrefixFetchMicros()
                + parts.getPrefillComputeMicros()
                + parts.getExposedTransferMicros()
                + parts.getFirstStepMicros();
    }

    private static long micros(long nanos) {
        return TimeUnit.NANOSECONDS.toMicros(nanos);
    }

    /** A span that parts are taken out of until nothing is left. */
    private static final class Budget {
        private long left;

        Budget(long nanos) {
            left = Math.max(0, nanos);
        }

        long take(long nanos) {
            long taken = Math.clamp(nanos, 0, left);
            left -= taken;
            return taken;
        }
    }
}

package io.baton.gateway;

import io.baton.proto.v1.TtftParts;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the time to first token went into. The total, the gateway's own part and the route are spans of this process's
 * clock; the decode node measured the rest on its own and says so with its first token. The gateway's part is what this
 * process does at both ends: from the request's arrival to its block hashes, the call to the decode node until it is on
 * its way, and from the first token's arrival until it is written. What remains unattributed is the way to the decode
 * node and back. Parts are taken out of the total one after the other, so that clocks which disagree can never make
 * them sum to more. Confined to the request's thread.
 */
final class FirstToken {

    private final LongSupplier nanos;
    private final long received;
    private long checked;
    private long sent;
    private long left;
    private long arrived;
    private @Nullable TtftParts parts;

    /** @param ageNanos how long ago the request arrived */
    FirstToken(LongSupplier nanos, long ageNanos) {
        this.nanos = nanos;
        received = nanos.getAsLong() - ageNanos;
        checked = received;
        sent = received;
        left = received;
    }

    /**
     * Validation, tokenization and block hashes are done. Only the first time counts: later ones serve another attempt.
     */
    void checked() {
        if (checked == received) {
            checked = nanos.getAsLong();
            sent = checked;
            left = checked;
        }
    }

    /** The request goes to a decode node now; earlier attempts that failed were part of finding the way. */
    void sent() {
        sent = nanos.getAsLong();
        left = sent;
    }

    /** The request left this process {@code ageNanos} ago. */
    void left(long ageNanos) {
        left = Math.max(sent, nanos.getAsLong() - ageNanos);
    }

    /** The first token reached this process {@code ageNanos} ago. */
    void arrived(long ageNanos) {
        arrived = nanos.getAsLong() - ageNanos;
    }

    /** The first token has just been written to the client. */
    void written(TtftParts decode) {
        long now = nanos.getAsLong();
        long rest = TimeUnit.NANOSECONDS.toMicros(now - received);
        TtftParts.Builder all = TtftParts.newBuilder().setTotalMicros(rest);
        // Rounded once: the remainder must not grow by the roundings of the pieces.
        long own = (checked - received) + (left - sent) + (now - Math.max(arrived, left));
        long gateway = Math.min(rest, TimeUnit.NANOSECONDS.toMicros(own));
        rest -= gateway;
        long route = Math.min(rest, TimeUnit.NANOSECONDS.toMicros(sent - checked));
        rest -= route;
        long[] theirs = {
            decode.getDecodeAdmissionMicros(),
            decode.getPrefillQueueMicros(),
            decode.getPrefixFetchMicros(),
            decode.getPrefillComputeMicros(),
            decode.getExposedTransferMicros(),
            decode.getFirstStepMicros()
        };
        for (int i = 0; i < theirs.length; i++) {
            theirs[i] = Math.clamp(theirs[i], 0, rest);
            rest -= theirs[i];
        }
        parts = all.setGatewayMicros(gateway)
                .setRouteMicros(route)
                .setDecodeAdmissionMicros(theirs[0])
                .setPrefillQueueMicros(theirs[1])
                .setPrefixFetchMicros(theirs[2])
                .setPrefillComputeMicros(theirs[3])
                .setExposedTransferMicros(theirs[4])
                .setFirstStepMicros(theirs[5])
                .setUnattributedMicros(rest)
                .build();
    }

    boolean isWritten() {
        return parts != null;
    }

    /** All zero when the answer had no token. */
    TtftParts parts() {
        return parts == null ? TtftParts.getDefaultInstance() : parts;
    }

    /** Since receipt, in nanoseconds. */
    long elapsed() {
        return nanos.getAsLong() - received;
    }
}

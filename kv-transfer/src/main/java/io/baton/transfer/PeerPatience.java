package io.baton.transfer;

import java.time.Duration;
import java.util.Optional;

/** How long a sender has waited for its peer, and whether that is too long. One thread at a time. */
final class PeerPatience {

    /** A peer that accepts no byte, or does not acknowledge what it got, for this long is given up. */
    static final Duration NO_BYTE_LIMIT = Duration.ofSeconds(5);

    /** So is a peer that knows that everything is computed and grants no blocks. */
    static final Duration GRANT_LIMIT = Duration.ofSeconds(30);

    private long movedNanos; // when the transport last took, or was ready to take, a frame
    private long ungrantedNanos; // since when a grant alone is missing

    PeerPatience(long now) {
        movedNanos = now;
        ungrantedNanos = now;
    }

    /** The transport takes frames. */
    void moved(long now) {
        movedNanos = now;
    }

    /** No grant is missing yet, or any more. */
    void needsNoGrant(long now) {
        ungrantedNanos = now;
    }

    /** What the peer has failed to do, if it is to be given up. */
    Optional<String> overdue(long now, boolean everythingSent) {
        if (now - movedNanos >= NO_BYTE_LIMIT.toNanos()) {
            return overdue(everythingSent ? "acknowledged nothing" : "accepted no byte", NO_BYTE_LIMIT);
        }
        if (now - ungrantedNanos >= GRANT_LIMIT.toNanos()) {
            return overdue("granted no blocks", GRANT_LIMIT);
        }
        return Optional.empty();
    }

    private static Optional<String> overdue(String what, Duration limit) {
        return Optional.of("the peer %s for %d ms".formatted(what, limit.toMillis()));
    }
}

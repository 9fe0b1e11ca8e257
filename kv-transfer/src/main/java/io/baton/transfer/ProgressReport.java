package io.baton.transfer;

/**
 * How far a sender is.
 *
 * @param queuePosition requests ahead of this one while {@link Phase#QUEUED}
 * @param cachedTokens tokens found in the sender's prefix cache
 * @param wireVersion the version the stream is written in
 */
public record ProgressReport(
        Phase phase, int queuePosition, int tokensDone, int tokensTotal, int cachedTokens, int wireVersion) {

    /** In the order of the wire's {@code PrefillPhase}. */
    public enum Phase {
        QUEUED,
        /** The time to grant blocks. */
        COMPUTING,
        /** Computed; what remains is sending. */
        SENDING;

        int wireNumber() {
            return ordinal() + 1;
        }
    }
}

package io.baton.transfer;

import io.baton.proto.v1.PrefillPhase;

/**
 * How far a sender is.
 *
 * @param queuePosition requests ahead of this one while {@link Phase#QUEUED}
 * @param cachedTokens tokens found in the sender's prefix cache
 * @param wireVersion the version the stream is written in
 */
public record ProgressReport(
        Phase phase, int queuePosition, int tokensDone, int tokensTotal, int cachedTokens, int wireVersion) {

    /** Where a prefill is. */
    public enum Phase {
        QUEUED(PrefillPhase.PREFILL_PHASE_QUEUED_VALUE),
        /** The time to grant blocks. */
        COMPUTING(PrefillPhase.PREFILL_PHASE_COMPUTING_VALUE),
        /** Computed; what remains is sending. */
        SENDING(PrefillPhase.PREFILL_PHASE_SENDING_VALUE);

        private final int wireNumber;

        Phase(int wireNumber) {
            this.wireNumber = wireNumber;
        }

        int wireNumber() {
            return wireNumber;
        }

        static Phase ofWire(int number) throws FrameException {
            for (Phase phase : values()) {
                if (phase.wireNumber == number) {
                    return phase;
                }
            }
            throw new FrameException("phase is %d, expected 1 to 3".formatted(number));
        }
    }
}

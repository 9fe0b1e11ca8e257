package io.baton.transfer;

import java.time.Duration;

/** How a transfer ended. After it is told, nothing is written into the target any more. */
public sealed interface ReceiveOutcome {

    /** What the receiver holds now, earlier attempts and cached blocks included. */
    VerifiedBlocks verified();

    /**
     * Everything that was to come is here and verified.
     *
     * @param hidden the last token's state after the final norm; empty for a fetch
     * @param cachedTokens tokens found in the sender's prefix cache
     * @param elapsed from opening the stream to the verified END, on this side's clock
     */
    record Complete(
            VerifiedBlocks verified,
            float[] hidden,
            SenderTimes senderTimes,
            int cachedTokens,
            Received received,
            Duration elapsed)
            implements ReceiveOutcome {}

    /**
     * The stream is over and the transfer is not complete.
     *
     * @param detail for people: what was found and what was expected
     */
    record Failed(FailureReason reason, String detail, VerifiedBlocks verified, Received received)
            implements ReceiveOutcome {}

    /** What one stream brought: verified (layer, block) units and their bytes. */
    record Received(int units, long bytes) {}
}

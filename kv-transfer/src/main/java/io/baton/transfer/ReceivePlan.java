package io.baton.transfer;

import io.baton.kv.BlockHash;
import java.time.Duration;
import java.util.List;

/**
 * What to expect.
 *
 * @param hashes of the whole blocks; a frame of another sequence does not pass
 * @param held what is here already; never written
 * @param hiddenSize floats in the result; 0 for a fetch, which has none and may end before the last block
 * @param predictedGap longest time the cost model expects between two frames
 * @param versions what the sender may answer in
 */
public record ReceivePlan(
        Handoff handoff,
        TransferShape shape,
        List<BlockHash> hashes,
        VerifiedBlocks held,
        int hiddenSize,
        Duration predictedGap,
        WireVersions versions) {

    private static final Duration LEAST_PATIENCE = Duration.ofSeconds(1);
    private static final int MAX_HIDDEN = 1 << 20;

    public ReceivePlan {
        hashes = List.copyOf(hashes);
        if (hashes.size() != shape.wholeBlocks()) {
            throw new IllegalArgumentException(
                    "%d block hashes, expected %d".formatted(hashes.size(), shape.wholeBlocks()));
        }
        held.within(shape);
        if (hiddenSize < 0 || hiddenSize > MAX_HIDDEN) {
            throw new IllegalArgumentException(
                    "hidden size must be 0 to %d, found %d".formatted(MAX_HIDDEN, hiddenSize));
        }
        if (predictedGap.isNegative()) {
            throw new IllegalArgumentException("predicted gap must not be negative, found " + predictedGap);
        }
    }

    boolean fetch() {
        return hiddenSize == 0;
    }

    /** Without a frame for this long the attempt is abandoned. */
    Duration patience() {
        Duration tripled = predictedGap.multipliedBy(3);
        return tripled.compareTo(LEAST_PATIENCE) > 0 ? tripled : LEAST_PATIENCE;
    }

    /** No frame of this transfer is longer. */
    int maxFrameBytes() {
        long payload = Math.max(
                Math.max(TransferShape.FRAME_PAYLOAD_BYTES, shape.unitBytes()), (long) hiddenSize * Float.BYTES);
        return Math.toIntExact(payload) + FrameHeader.MAX_BYTES;
    }
}

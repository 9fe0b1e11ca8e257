package io.baton.transfer;

/**
 * What one sequence's KV looks like on both sides. A unit is one (layer, block), all heads, K and V, contiguous.
 *
 * @param blocks {@code tokens / blockTokens}, rounded up; the last one may be partial
 * @param unitBytes size of each unit, of a partial block too
 * @param tokens positions with KV
 */
public record TransferShape(int layers, int blocks, long unitBytes, int blockTokens, int tokens) {

    /** A frame carries at most this much payload, or one unit if that is more. */
    public static final int FRAME_PAYLOAD_BYTES = 1 << 20;

    /** Far above any block of any model; bounds what a frame may make the other side hold. */
    public static final long MAX_UNIT_BYTES = 1L << 26;

    public TransferShape {
        requireRange("layers", layers, 1, 1 << 16);
        requireRange("block tokens", blockTokens, 1, 1 << 16);
        requireRange("tokens", tokens, 1, 1 << 30);
        requireRange("unit bytes", unitBytes, 1, MAX_UNIT_BYTES);
        int expected = Math.ceilDiv(tokens, blockTokens);
        if (blocks != expected) {
            throw new IllegalArgumentException("%d tokens in blocks of %d are %d blocks, found %d"
                    .formatted(tokens, blockTokens, expected, blocks));
        }
        requireRange("layers x blocks", (long) layers * blocks, 1, 1 << 28);
    }

    public static TransferShape of(int layers, long unitBytes, int blockTokens, int tokens) {
        return new TransferShape(layers, Math.ceilDiv(tokens, blockTokens), unitBytes, blockTokens, tokens);
    }

    public int units() {
        return layers * blocks;
    }

    /** Blocks all of whose slots hold a token. */
    public int wholeBlocks() {
        return tokens / blockTokens;
    }

    /** Tokens in {@code block}. */
    public int tokensIn(int block) {
        return Math.min(blockTokens, tokens - block * blockTokens);
    }

    /** Position of a unit in canonical order. */
    int unitIndex(int layer, int block) {
        return layer * blocks + block;
    }

    int blocksPerFrame() {
        return (int) Math.max(1, FRAME_PAYLOAD_BYTES / unitBytes);
    }

    private static void requireRange(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException("%s must be %d to %d, found %d".formatted(name, least, most, value));
        }
    }
}

package io.baton.transfer;

/**
 * The units whose tokens are all final, in the order in which they became so. One thread announces, one other takes;
 * the announcing thread does a handful of additions per block and never waits.
 */
final class ReadyUnits {

    private final TransferShape shape;
    private final VerifiedBlocks held;
    private final int[] finalTokens; // per unit, announcing thread
    private final int[] units;
    private volatile int count; // publishes units[0 .. count)

    ReadyUnits(TransferShape shape, VerifiedBlocks held) {
        this.shape = shape;
        this.held = held;
        this.finalTokens = new int[shape.units()];
        this.units = new int[shape.units()];
    }

    /** The first {@code blocks} whole blocks are final in every layer. */
    void prefix(int blocks) {
        if (blocks < 0 || blocks > shape.wholeBlocks()) {
            throw new IllegalArgumentException(
                    "%d cached blocks, expected 0 to %d".formatted(blocks, shape.wholeBlocks()));
        }
        for (int layer = 0; layer < shape.layers(); layer++) {
            tokens(layer, 0, blocks * shape.blockTokens());
        }
    }

    /** Tokens {@code [first, end)} are final in {@code layer}; each token is announced once per layer, in any order. */
    void tokens(int layer, int first, int end) {
        if (layer < 0 || layer >= shape.layers() || first < 0 || first > end || end > shape.tokens()) {
            throw new IllegalArgumentException(
                    "tokens [%d, %d) of layer %d are outside %s".formatted(first, end, layer, shape));
        }
        int ready = count;
        int at = first;
        while (at < end) {
            int block = at / shape.blockTokens();
            int until = Math.min(end, (block + 1) * shape.blockTokens());
            int unit = shape.unitIndex(layer, block);
            finalTokens[unit] += until - at;
            if (finalTokens[unit] > shape.tokensIn(block)) {
                throw new IllegalArgumentException(
                        "tokens [%d, %d) of layer %d were announced before".formatted(at, until, layer));
            }
            if (finalTokens[unit] == shape.tokensIn(block) && block >= held.in(layer)) {
                units[ready++] = unit;
            }
            at = until;
        }
        count = ready;
    }

    int count() {
        return count;
    }

    /** The {@code index}-th unit, {@code index < count()}. */
    int unit(int index) {
        return units[index];
    }

    /** Units in all that the receiver does not hold. */
    int expected() {
        int expected = 0;
        for (int layer = 0; layer < shape.layers(); layer++) {
            expected += shape.blocks() - held.in(layer);
        }
        return expected;
    }
}

package io.baton.routing;

import java.util.Arrays;

/**
 * Blocks that nodes are about to hold because of this router's own recent decisions, so that a burst of requests with
 * one prefix meets on one node before its first event arrives. A direct-mapped table of fixed size: a newer prediction
 * overwrites an older one, and each expires. Confined to its router.
 */
final class PredictedBlocks {

    static final PredictedBlocks NONE = new PredictedBlocks(0, 0);

    private static final int NOBODY = -1;

    private final long ttlMillis;
    private final int mask;
    private final long[] keys; // high, low
    private final long[] expires;
    private final int[] holders; // prefill slot, decode slot

    /** @param capacity a power of two, or 0 to predict nothing */
    PredictedBlocks(int capacity, long ttlMillis) {
        this.ttlMillis = ttlMillis;
        mask = capacity - 1;
        keys = new long[2 * capacity];
        expires = new long[capacity];
        Arrays.fill(expires, Long.MIN_VALUE);
        holders = new int[2 * capacity];
    }

    /** @param prefillSlot negative when no prefill node is involved */
    void expect(BlockKeys prefix, int prefillSlot, int decodeSlot, long nowMillis) {
        if (mask < 0) {
            return;
        }
        for (int i = 0; i < prefix.count(); i++) {
            int at = (int) prefix.low(i) & mask;
            keys[2 * at] = prefix.high(i);
            keys[2 * at + 1] = prefix.low(i);
            expires[at] = nowMillis + ttlMillis;
            holders[2 * at] = prefillSlot < 0 ? NOBODY : prefillSlot;
            holders[2 * at + 1] = decodeSlot;
        }
    }

    /** The slots of one word of the bit set that are predicted to hold the block. */
    long holders(long high, long low, long nowMillis, int word) {
        if (mask < 0) {
            return 0;
        }
        int at = (int) low & mask;
        if (expires[at] <= nowMillis || keys[2 * at] != high || keys[2 * at + 1] != low) {
            return 0;
        }
        return bit(holders[2 * at], word) | bit(holders[2 * at + 1], word);
    }

    private static long bit(int slot, int word) {
        return slot != NOBODY && slot / Long.SIZE == word ? 1L << slot : 0;
    }
}

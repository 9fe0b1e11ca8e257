package io.baton.kv;

import java.util.BitSet;

/**
 * Block ids and how many holders each has. A block without a holder is free only once {@link #free} says so: in between
 * it may stay in the prefix index. Confined to the scheduler thread.
 */
final class BlockPool {

    private final int[] holders;
    private final int[] free; // stack of free ids, top at freeCount - 1
    private int freeCount;

    BlockPool(int blocks) {
        if (blocks < 1) {
            throw new IllegalArgumentException("a pool needs at least 1 block, found " + blocks);
        }
        holders = new int[blocks];
        free = new int[blocks];
        for (int i = 0; i < blocks; i++) {
            free[i] = blocks - 1 - i;
        }
        freeCount = blocks;
    }

    int capacity() {
        return holders.length;
    }

    int freeCount() {
        return freeCount;
    }

    int holders(int block) {
        return holders[block];
    }

    /** A free block, now with one holder. */
    int take() {
        if (freeCount == 0) {
            throw new IllegalStateException("no block is free; the ledger promised one");
        }
        int block = free[--freeCount];
        holders[block] = 1;
        return block;
    }

    /** Adds a holder. */
    void hold(int block) {
        holders[block]++;
    }

    /** Drops a holder; true when that was the last one. */
    boolean drop(int block) {
        if (holders[block] == 0) {
            throw new IllegalStateException("block " + block + " has no holder to drop");
        }
        return --holders[block] == 0;
    }

    /** Makes an unheld block available again. */
    void free(int block) {
        if (holders[block] != 0) {
            throw new IllegalStateException("block %d is freed with %d holders".formatted(block, holders[block]));
        }
        free[freeCount++] = block;
    }

    /** The free ids, counted anew. */
    BitSet freeIds() {
        BitSet ids = new BitSet(holders.length);
        for (int i = 0; i < freeCount; i++) {
            if (ids.get(free[i])) {
                throw new IllegalStateException("block " + free[i] + " is free twice");
            }
            ids.set(free[i]);
        }
        return ids;
    }
}

package io.baton.routing;

import java.util.Arrays;
import java.util.concurrent.locks.StampedLock;

/**
 * Which nodes hold which blocks: one open-addressed table from block key to a bit set of node slots. One writer; any
 * thread may read.
 *
 * <p>One table for all nodes, rather than one per node, because a route choice asks for every node's overlap with one
 * prompt: one probe per block answers for 64 nodes, and the walk ends where the last node's prefix ends. Blocks become
 * visible parent first and are evicted leaf first, so the first missing block ends a node's prefix. Readers are
 * optimistic and fall back to a read lock; a write holds the lock for one event.
 */
final class BlockIndex {

    private static final int MIN_CAPACITY = 64;

    private final StampedLock lock = new StampedLock();
    private final int maxBlocks;
    private Table table = new Table(MIN_CAPACITY, 1);
    private int size;
    private long dropped;
    private int sweepAt;

    /** Arrays that belong together, so that an optimistic reader never mixes two generations. */
    private record Table(long[] keys, long[] holders, int mask, int words) {

        Table(int capacity, int words) {
            this(new long[2 * capacity], new long[words * capacity], capacity - 1, words);
        }

        int capacity() {
            return mask + 1;
        }

        int home(long high, long low) {
            long h = (high ^ Long.rotateLeft(low, 32)) * 0x9E3779B97F4A7C15L;
            return (int) (h ^ (h >>> 32)) & mask;
        }

        /** Index of the key's entry, or of the empty one where it belongs. */
        int find(long high, long low) {
            int at = home(high, low);
            // The bound matters only to a reader that raced with a write; a table always has empty entries.
            for (int probes = 0; probes <= mask; probes++) {
                if (isEmpty(at) || (keys[2 * at] == high && keys[2 * at + 1] == low)) {
                    return at;
                }
                at = (at + 1) & mask;
            }
            return at;
        }

        boolean isEmpty(int at) {
            for (int w = 0; w < words; w++) {
                if (holders[at * words + w] != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    BlockIndex(int maxBlocks) {
        this.maxBlocks = maxBlocks;
    }

    /** Slots at or above this have never held a block. */
    int slotLimit() {
        return Long.SIZE * table.words();
    }

    /** Marks the blocks as held by the slot; returns how many were not before. Writer only. */
    int add(int slot, BlockKeys keys) {
        long stamp = lock.writeLock();
        try {
            int added = 0;
            for (int i = 0; i < keys.count(); i++) {
                added += add(slot, keys.high(i), keys.low(i)) ? 1 : 0;
            }
            return added;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** Marks the blocks as no longer held by the slot; returns how many were. Writer only. */
    int remove(int slot, BlockKeys keys) {
        long stamp = lock.writeLock();
        try {
            int removed = 0;
            for (int i = 0; i < keys.count(); i++) {
                int at = table.find(keys.high(i), keys.low(i));
                removed += clear(at, slot) ? 1 : 0;
            }
            return removed;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /**
     * Clears a slot's blocks among the next {@code entries} entries of the table and returns how many there were;
     * calling until all the slot's blocks are gone forgets a node without one long stop. Writer only.
     */
    int sweep(int slot, int entries) {
        long stamp = lock.writeLock();
        try {
            int cleared = 0;
            for (int i = 0; i < Math.min(entries, table.capacity()); i++) {
                // Clearing may shift a later entry here, so look again before going on.
                while (clear(sweepAt & table.mask(), slot)) {
                    cleared++;
                }
                sweepAt = (sweepAt + 1) & table.mask();
            }
            return cleared;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    /** Distinct blocks held by anyone. */
    int size() {
        return size;
    }

    /** Blocks that were not indexed because the table was full. */
    long dropped() {
        return dropped;
    }

    private boolean add(int slot, long high, long low) {
        if (slot >= slotLimit()) {
            rebuild(table.capacity(), Math.max(2 * table.words(), slot / Long.SIZE + 1));
        }
        int at = table.find(high, low);
        int word = at * table.words() + slot / Long.SIZE;
        long bit = 1L << slot;
        if (table.isEmpty(at)) {
            if (size == maxBlocks) {
                dropped++;
                return false;
            }
            table.keys()[2 * at] = high;
            table.keys()[2 * at + 1] = low;
            table.holders()[word] = bit;
            size++;
            if (2 * size > table.capacity()) {
                rebuild(2 * table.capacity(), table.words());
            }
            return true;
        }
        boolean isNew = (table.holders()[word] & bit) == 0;
        table.holders()[word] |= bit;
        return isNew;
    }

    private boolean clear(int at, int slot) {
        int word = at * table.words() + slot / Long.SIZE;
        if (slot >= slotLimit() || (table.holders()[word] & (1L << slot)) == 0) {
            return false;
        }
        table.holders()[word] &= ~(1L << slot);
        if (table.isEmpty(at)) {
            size--;
            closeGap(at);
        }
        return true;
    }

    /** Linear probing without tombstones: moves later entries of the run back, so that no search ends early. */
    private void closeGap(int gap) {
        Table t = table;
        for (int at = (gap + 1) & t.mask(); !t.isEmpty(at); at = (at + 1) & t.mask()) {
            int home = t.home(t.keys()[2 * at], t.keys()[2 * at + 1]);
            if (((at - home) & t.mask()) >= ((at - gap) & t.mask())) {
                copyEntry(t, at, t, gap);
                Arrays.fill(t.holders(), at * t.words(), (at + 1) * t.words(), 0);
                gap = at;
            }
        }
    }

    private void rebuild(int capacity, int words) {
        Table from = table;
        Table to = new Table(capacity, words);
        for (int at = 0; at < from.capacity(); at++) {
            if (!from.isEmpty(at)) {
                copyEntry(from, at, to, to.find(from.keys()[2 * at], from.keys()[2 * at + 1]));
            }
        }
        table = to;
    }

    private static void copyEntry(Table from, int source, Table to, int target) {
        System.arraycopy(from.keys(), 2 * source, to.keys(), 2 * target, 2);
        System.arraycopy(from.holders(), source * from.words(), to.holders(), target * to.words(), from.words());
    }

    /**
     * How many blocks of the prefix each slot holds without a gap from the first one on, blocks it is predicted to hold
     * counted. Slots beyond the array are left out. Any thread that owns {@code bySlot} and {@code predicted}.
     */
    void cachedPrefixes(BlockKeys prefix, PredictedBlocks predicted, long nowMillis, int[] bySlot) {
        long stamp = lock.tryOptimisticRead();
        if (stamp != 0) {
            walk(table, prefix, predicted, nowMillis, bySlot);
            if (lock.validate(stamp)) {
                return;
            }
        }
        stamp = lock.readLock();
        try {
            walk(table, prefix, predicted, nowMillis, bySlot);
        } finally {
            lock.unlockRead(stamp);
        }
    }

    private static void walk(Table t, BlockKeys prefix, PredictedBlocks predicted, long nowMillis, int[] bySlot) {
        Arrays.fill(bySlot, 0);
        int words = Math.max(1, (bySlot.length + Long.SIZE - 1) / Long.SIZE);
        for (int w = 0; w < words; w++) {
            walkWord(t, w, prefix, predicted, nowMillis, bySlot);
        }
    }

    /** The walk for the 64 slots of one word. */
    private static void walkWord(
            Table t, int word, BlockKeys prefix, PredictedBlocks predicted, long nowMillis, int[] bySlot) {
        long alive = -1;
        int depth = 0;
        for (; depth < prefix.count() && alive != 0; depth++) {
            long high = prefix.high(depth);
            long low = prefix.low(depth);
            long held = word < t.words() ? t.holders()[t.find(high, low) * t.words() + word] : 0;
            long still = alive & (held | predicted.holders(high, low, nowMillis, word));
            if (depth > 0) {
                record(alive & ~still, word, depth, bySlot);
            }
            alive = still;
        }
        record(alive, word, depth, bySlot);
    }

    private static void record(long slots, int word, int depth, int[] bySlot) {
        for (long left = slots; left != 0; left &= left - 1) {
            int slot = word * Long.SIZE + Long.numberOfTrailingZeros(left);
            if (slot < bySlot.length) {
                bySlot[slot] = depth;
            }
        }
    }
}

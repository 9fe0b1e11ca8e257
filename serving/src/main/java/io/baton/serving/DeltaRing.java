package io.baton.serving;

import io.baton.kv.BlockKey;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * The most recent deltas of one epoch, bounded by the number of block keys they name. Sequence numbers are consecutive
 * and begin at 1. Confined to the events thread.
 */
final class DeltaRing {

    enum Kind {
        STORED,
        REMOVED
    }

    record Delta(long sequence, Kind kind, List<BlockKey> blocks) {}

    private final long epoch;
    private final int capacity;
    private final Deque<Delta> deltas = new ArrayDeque<>();
    private int keys; // named by all deltas
    private long lastSequence;

    DeltaRing(long epoch, int capacity) {
        this.epoch = epoch;
        this.capacity = capacity;
    }

    long epoch() {
        return epoch;
    }

    long lastSequence() {
        return lastSequence;
    }

    /** Appends one change as deltas of at most {@code blocksPerDelta} keys, forgetting the oldest as needed. */
    void append(Kind kind, List<BlockKey> blocks, int blocksPerDelta) {
        for (int from = 0; from < blocks.size(); from += blocksPerDelta) {
            List<BlockKey> part = List.copyOf(blocks.subList(from, Math.min(blocks.size(), from + blocksPerDelta)));
            deltas.addLast(new Delta(++lastSequence, kind, part));
            keys += part.size();
        }
        while (keys > capacity) {
            keys -= deltas.removeFirst().blocks().size();
        }
    }

    /** Whether a watcher that has seen everything up to {@code sequence} of {@code epoch} can go on from here. */
    boolean remembers(long epoch, long sequence) {
        return epoch == this.epoch
                && sequence <= lastSequence
                && (sequence == lastSequence || firstSequence() <= sequence + 1);
    }

    private long firstSequence() {
        return lastSequence - deltas.size() + 1;
    }

    /** The deltas after {@code sequence}, which {@link #remembers} has allowed; oldest first. */
    Iterable<Delta> after(long sequence) {
        long skipped = sequence + 1 - firstSequence();
        return () -> deltas.stream().skip(skipped).iterator();
    }
}

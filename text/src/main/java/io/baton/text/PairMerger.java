package io.baton.text;

import java.util.Arrays;

/**
 * Merges the pair of lowest rank, leftmost first, until none is left. A linked list of symbols and a heap of candidate
 * pairs make that n log n, so that a megabyte of one letter is no attack; short words, which are nearly all words, are
 * scanned instead. Holds scratch of its own: one per thread.
 */
final class PairMerger {

    private static final int SCANNED = 24; // about where the heap starts to win over the quadratic scan

    private final MergeTable table;
    private long[] heap = new long[64]; // rank << 32 | position of the left symbol
    private int heapSize;
    private int[] next = new int[0];
    private int[] previous = new int[0];
    private int end; // position after the last symbol

    PairMerger(MergeTable table) {
        this.table = table;
    }

    /** Merges {@code symbols[0 .. count)} in place and returns how many are left. */
    int merge(int[] symbols, int count) {
        return count <= SCANNED ? scan(symbols, count) : mergeByHeap(symbols, count);
    }

    private int scan(int[] symbols, int count) {
        int left = count;
        while (left > 1) {
            int best = MergeTable.NONE;
            int at = -1;
            for (int i = 0; i + 1 < left; i++) {
                int rank = table.rank(symbols[i], symbols[i + 1]);
                if (rank < best) {
                    best = rank;
                    at = i;
                }
            }
            if (at < 0) {
                return left;
            }
            symbols[at] = table.merged(symbols[at], symbols[at + 1]);
            System.arraycopy(symbols, at + 2, symbols, at + 1, left - at - 2);
            left--;
        }
        return left;
    }

    private int mergeByHeap(int[] symbols, int count) {
        link(count);
        heapSize = 0;
        for (int i = 0; i + 1 < count; i++) {
            offer(symbols, i);
        }
        while (heapSize > 0) {
            long candidate = poll();
            int at = (int) candidate;
            int right = next[at];
            // A pair that changed since it was offered has another rank, or is offered again under the same one.
            if (right < 0 || right >= end || table.rank(symbols[at], symbols[right]) != (int) (candidate >>> 32)) {
                continue;
            }
            symbols[at] = table.merged(symbols[at], symbols[right]);
            next[at] = next[right];
            next[right] = -1; // no longer a symbol
            if (next[at] < end) {
                previous[next[at]] = at;
            }
            offer(symbols, at);
            if (previous[at] >= 0) {
                offer(symbols, previous[at]);
            }
        }
        int left = 0;
        for (int i = 0; i < count; i = next[i]) {
            symbols[left++] = symbols[i]; // left <= i, so nothing unread is overwritten
        }
        return left;
    }

    private void link(int count) {
        if (next.length < count) {
            next = new int[count];
            previous = new int[count];
        }
        for (int i = 0; i < count; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
        }
        end = count;
    }

    private void offer(int[] symbols, int at) {
        int right = next[at];
        int rank = right < end ? table.rank(symbols[at], symbols[right]) : MergeTable.NONE;
        if (rank != MergeTable.NONE) {
            push((long) rank << 32 | at);
        }
    }

    private void push(long candidate) {
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, heapSize * 2);
        }
        int hole = heapSize++;
        while (hole > 0 && heap[(hole - 1) >>> 1] > candidate) {
            heap[hole] = heap[(hole - 1) >>> 1];
            hole = (hole - 1) >>> 1;
        }
        heap[hole] = candidate;
    }

    private long poll() {
        long least = heap[0];
        long last = heap[--heapSize];
        int hole = 0;
        while (true) {
            int child = 2 * hole + 1;
            if (child >= heapSize) {
                break;
            }
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[hole] = heap[child];
            hole = child;
        }
        heap[hole] = last;
        return least;
    }
}

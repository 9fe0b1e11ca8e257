package io.baton.engine.sample;

import java.util.Arrays;

/**
 * The tokens that may be drawn, most likely first, ties by lower id: the working set of one draw, reused for the next.
 * Most draws look at a few tokens of a large vocabulary, so the order is found only as far as it is asked for: a heap
 * that is sorted from the top. Confined to the scheduler thread.
 *
 * <p>All arithmetic is in double with {@link StrictMath}, in the order written: the same bits on every machine.
 */
public final class Candidates {

    private final int[] tokens; // by rank, below sorted
    private final double[] weights; // by rank, below sorted
    private final long[] heap; // logit and token packed so that a larger value comes first
    private int heapSize;
    private int sorted;
    private int size;
    private Temperature temperature = Temperature.ONE;
    private float highest;
    private double total;

    public Candidates(int vocabularySize) {
        tokens = new int[vocabularySize];
        weights = new double[vocabularySize];
        heap = new long[vocabularySize];
    }

    /** Starts over with all of a vocabulary. */
    void load(float[] logits, Temperature temperature) {
        this.temperature = temperature;
        size = logits.length;
        sorted = 0;
        heapSize = logits.length;
        for (int token = 0; token < logits.length; token++) {
            heap[token] = packed(logits[token], token);
        }
        for (int i = heapSize / 2 - 1; i >= 0; i--) {
            siftDown(i);
        }
        highest = logit(heap[0]);
        total = Double.NaN;
    }

    /** How many are left. */
    int size() {
        return size;
    }

    int token(int rank) {
        sortTo(rank);
        return tokens[rank];
    }

    /** {@link Temperature#weight}: the probability relative to the most likely token's. */
    double weight(int rank) {
        sortTo(rank);
        return weights[rank];
    }

    /** The sum of all weights that are left. */
    double total() {
        if (Double.isNaN(total)) {
            total = 0;
            for (int rank = 0; rank < Math.min(sorted, size); rank++) {
                total += weights[rank];
            }
            if (size > sorted) { // nothing was dropped: the rest is the heap
                for (int i = 0; i < heapSize; i++) {
                    total += weigh(logit(heap[i]));
                }
            }
        }
        return total;
    }

    /** Drops all but the {@code count} most likely. */
    void keepFirst(int count) {
        if (count < size) {
            sortTo(count - 1);
            size = count;
            total = Double.NaN;
        }
    }

    /** Drops all but these ranks, which are ascending. */
    void keepOnly(int[] ranks) {
        sortTo(size - 1);
        for (int i = 0; i < ranks.length; i++) {
            tokens[i] = tokens[ranks[i]];
            weights[i] = weights[ranks[i]];
        }
        size = ranks.length;
        total = Double.NaN;
    }

    /** The token at {@code uniform} in [0, 1) of the cumulative distribution, most likely first. */
    int pick(double uniform) {
        double target = uniform * total();
        double sum = 0;
        for (int rank = 0; rank < size; rank++) {
            sum += weight(rank);
            if (sum > target) {
                return tokens[rank];
            }
        }
        return token(size - 1); // rounding left the sum below the target
    }

    private void sortTo(int rank) {
        while (sorted <= rank) {
            long top = heap[0];
            heap[0] = heap[--heapSize];
            siftDown(0);
            tokens[sorted] = ~(int) top;
            weights[sorted] = weigh(logit(top));
            sorted++;
        }
    }

    private double weigh(float logit) {
        return temperature.weight(logit, highest);
    }

    private void siftDown(int from) {
        if (from >= heapSize) {
            return;
        }
        long moved = heap[from];
        int hole = from;
        for (int child = 2 * hole + 1; child < heapSize; child = 2 * hole + 1) {
            if (child + 1 < heapSize && heap[child + 1] > heap[child]) {
                child++;
            }
            if (heap[child] <= moved) {
                break;
            }
            heap[hole] = heap[child];
            hole = child;
        }
        heap[hole] = moved;
    }

    /** Orders by logit, then by lower token id; -0 and +0 are equal. */
    private static long packed(float logit, int token) {
        int bits = Float.floatToRawIntBits(logit + 0.0f);
        int ordered = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
        return ((long) ordered << 32) | Integer.toUnsignedLong(~token);
    }

    private static float logit(long packed) {
        int ordered = (int) (packed >> 32);
        return Float.intBitsToFloat(ordered ^ ((ordered >> 31) & Integer.MAX_VALUE));
    }

    @Override
    public String toString() {
        return "%d candidates, %s first".formatted(size, Arrays.toString(Arrays.copyOf(tokens, Math.min(sorted, 8))));
    }
}

package io.baton.engine.kernel;

import io.baton.engine.KvType;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import java.util.Arrays;

/** Attention of single query rows over one KV head of one sequence, as {@link Kernels} defines it. */
final class ScalarAttention {

    private final KvPool pool;
    private final KvLayout layout;
    private final int layer;
    private final int[] blockTable;
    private final int kvHead;

    private final long query; // headDim, padded to 4
    private final long weights; // p of a segment
    private final long segment; // a of a segment
    private final float[] lanes = new float[Arithmetic.LANES];
    private float queryScale;

    static long scratchBytes(int headDim) {
        return OffHeap.rowBytes(headDim + 4) + OffHeap.rowBytes(Kernels.SEGMENT) + OffHeap.rowBytes(headDim);
    }

    ScalarAttention(KvPool pool, int layer, int[] blockTable, int kvHead, long scratch) {
        this.pool = pool;
        this.layout = pool.layout();
        this.layer = layer;
        this.blockTable = blockTable;
        this.kvHead = kvHead;
        this.query = scratch;
        this.weights = query + OffHeap.rowBytes(layout.headDim() + 4);
        this.segment = weights + OffHeap.rowBytes(Kernels.SEGMENT);
    }

    /** Attends over keys {@code [0, visible)}. */
    void attend(long q, int visible, long y) {
        roundQuery(q);
        float total = 0; // L
        float highest = 0; // M
        for (int from = 0; from < visible; from += Kernels.SEGMENT) {
            int to = Math.min(visible, from + Kernels.SEGMENT);
            float max = scores(from, to);
            float sum = exponentials(to - from, max);
            for (int d = 0; d < layout.headDim(); d++) {
                put(segment, d, weightedValues(from, to, d));
            }
            if (from == 0) {
                highest = max;
                total = sum;
                for (int d = 0; d < layout.headDim(); d++) {
                    put(y, d, get(segment, d));
                }
            } else {
                float merged = Math.max(highest, max);
                float f = Arithmetic.exp(highest - merged);
                float g = Arithmetic.exp(max - merged);
                total = Math.fma(total, f, sum * g);
                for (int d = 0; d < layout.headDim(); d++) {
                    put(y, d, Math.fma(get(y, d), f, get(segment, d) * g));
                }
                highest = merged;
            }
        }
        for (int d = 0; d < layout.headDim(); d++) {
            put(y, d, get(y, d) / total);
        }
    }

    private void roundQuery(long q) {
        int n = layout.headDim();
        float scale = Arithmetic.attentionScale(n);
        for (int d = 0; d < n + 4; d++) {
            put(query, d, d < n ? get(q, d) * scale : 0);
        }
        switch (layout.type()) {
            case F32 -> {}
            case BF16 -> {
                for (int d = 0; d < n; d++) {
                    put(query, d, Arithmetic.roundedToBf16(get(query, d)));
                }
            }
            case Q8 -> {
                queryScale = Arithmetic.q8Scale(KvRows.largest(query, n));
                float inverse = Arithmetic.q8Inverse(queryScale);
                for (int d = 0; d < n; d++) {
                    put(query, d, Arithmetic.q8Value(get(query, d), inverse));
                }
            }
        }
    }

    /** Writes the scores of keys {@code [from, to)} and returns the highest. */
    private float scores(int from, int to) {
        float max = Float.NEGATIVE_INFINITY;
        for (int key = from; key < to; key++) {
            float score = score(unit(key), key % layout.blockTokens());
            put(weights, key - from, score);
            max = Math.max(max, score);
        }
        return max;
    }

    private float score(long unit, int token) {
        long panel = unit + layout.keys(kvHead) + token / KvLayout.PANEL_ROWS * layout.keyPanelBytes();
        int lane = token % KvLayout.PANEL_ROWS;
        return switch (layout.type()) {
            case F32 -> ScalarKernels.f32Dot(panel, lane, query, layout.headDim());
            case BF16 -> ScalarKernels.bf16Dot(panel, lane, query, layout.headDim());
            case Q8 -> {
                int sum = 0;
                for (int d = 0; d < layout.headDim(); d++) {
                    sum += OffHeap.s8(unit + layout.key(kvHead, token, d)) * (int) get(query, d);
                }
                yield (float) sum * (OffHeap.f32(unit + layout.keyScale(kvHead, token)) * queryScale);
            }
        };
    }

    /** Replaces scores by {@code exp(score - max)} and returns their sum. */
    private float exponentials(int count, float max) {
        Arrays.fill(lanes, 0);
        for (int i = 0; i < count; i++) {
            float p = Arithmetic.exp(get(weights, i) - max);
            put(weights, i, layout.type() == KvType.BF16 ? Arithmetic.roundedToBf16(p) : p);
            lanes[i % Arithmetic.LANES] += p;
        }
        return Arithmetic.tree(lanes);
    }

    private float weightedValues(int from, int to, int d) {
        float acc = 0;
        if (layout.type() == KvType.BF16) {
            for (int key = from; key < to; key += 2) {
                if (key + 1 < to) {
                    acc = Math.fma(value(key + 1, d), get(weights, key + 1 - from), acc);
                }
                acc = Math.fma(value(key, d), get(weights, key - from), acc);
            }
            return acc;
        }
        for (int key = from; key < to; key++) {
            float p = get(weights, key - from);
            acc = Math.fma(value(key, d), layout.type() == KvType.Q8 ? p * valueScale(key) : p, acc);
        }
        return acc;
    }

    private float value(int key, int d) {
        long address = unit(key) + layout.value(kvHead, key % layout.blockTokens(), d);
        return switch (layout.type()) {
            case F32 -> OffHeap.f32(address);
            case BF16 -> Arithmetic.fromBf16(OffHeap.s16(address));
            case Q8 -> OffHeap.s8(address);
        };
    }

    private float valueScale(int key) {
        return OffHeap.f32(unit(key) + layout.valueScale(kvHead, key % layout.blockTokens()));
    }

    private long unit(int key) {
        return pool.address(layer, blockTable[key / layout.blockTokens()]);
    }

    private static float get(long x, int i) {
        return OffHeap.f32(x + (long) i * Float.BYTES);
    }

    private static void put(long x, int i, float value) {
        OffHeap.f32(x + (long) i * Float.BYTES, value);
    }
}

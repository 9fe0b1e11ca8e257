package io.baton.engine.kernel;

import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;

/**
 * Writes a token's K and V into the pool, rounded to the pool's type; attention reads nothing else. q8 keeps one scale
 * per head-vector and quantises it like one group of {@link Kernels}. This is data movement into scattered lanes, one
 * implementation for all providers.
 */
public final class KvRows {

    private static final int LANE = Integer.BYTES; // a panel's row has four bytes of each line
    private static final int LINE = OffHeap.ALIGNMENT;

    private KvRows() {}

    /** @param k all KV heads of the token, rotated; {@code v} likewise */
    public static void store(KvPool pool, int layer, int block, int tokenInBlock, long k, long v) {
        KvLayout layout = pool.layout();
        long unit = pool.address(layer, block);
        int headDim = layout.headDim();
        for (int head = 0; head < layout.kvHeads(); head++) {
            long skipped = (long) head * headDim * Float.BYTES;
            long key = unit + layout.key(head, tokenInBlock, 0);
            long value = unit + layout.value(head, tokenInBlock, 0);
            switch (layout.type()) {
                case F32 -> {
                    f32Key(k + skipped, headDim, key);
                    f32Value(v + skipped, headDim, value, layout.valuePanelBytes());
                }
                case BF16 -> {
                    bf16Key(k + skipped, headDim, key);
                    bf16Value(v + skipped, headDim, value, layout.valuePanelBytes());
                }
                case Q8 -> {
                    long keyScale = unit + layout.keyScale(head, tokenInBlock);
                    long valueScale = unit + layout.valueScale(head, tokenInBlock);
                    q8Key(k + skipped, headDim, key, keyScale);
                    q8Value(v + skipped, headDim, value, layout.valuePanelBytes(), valueScale);
                }
            }
        }
    }

    private static void f32Key(long k, int n, long key) {
        for (int d = 0; d < n; d++) {
            OffHeap.f32(key + (long) d * LINE, element(k, d));
        }
    }

    private static void f32Value(long v, int n, long value, long panelBytes) {
        for (int d = 0; d < n; d++) {
            OffHeap.f32(lane(value, panelBytes, d), element(v, d));
        }
    }

    private static void bf16Key(long k, int n, long key) {
        for (int d = 0; d < n; d += 2) {
            int even = Arithmetic.bf16(element(k, d)) & 0xffff;
            int odd = d + 1 < n ? Arithmetic.bf16(element(k, d + 1)) : 0;
            OffHeap.s32(key + (long) (d >> 1) * LINE, odd << 16 | even);
        }
    }

    private static void bf16Value(long v, int n, long value, long panelBytes) {
        for (int d = 0; d < n; d++) {
            OffHeap.s16(lane(value, panelBytes, d), Arithmetic.bf16(element(v, d)));
        }
    }

    private static void q8Key(long k, int n, long key, long keyScale) {
        float scale = Arithmetic.q8Scale(largest(k, n));
        float inverse = Arithmetic.q8Inverse(scale);
        OffHeap.f32(keyScale, scale);
        for (int d = 0; d < n; d++) {
            OffHeap.s8(key + (long) (d >> 2) * LINE + (d & 3), (byte) Arithmetic.q8Value(element(k, d), inverse));
        }
    }

    private static void q8Value(long v, int n, long value, long panelBytes, long valueScale) {
        float scale = Arithmetic.q8Scale(largest(v, n));
        float inverse = Arithmetic.q8Inverse(scale);
        OffHeap.f32(valueScale, scale);
        for (int d = 0; d < n; d++) {
            OffHeap.s8(lane(value, panelBytes, d), (byte) Arithmetic.q8Value(element(v, d), inverse));
        }
    }

    /** Where dimension {@code d} lies, given where dimension 0 does: dimensions are the rows of V's panels. */
    private static long lane(long value, long panelBytes, int d) {
        return value + (d >> 4) * panelBytes + (long) (d & 15) * LANE;
    }

    /** The largest magnitude; NaN if there is one. */
    static float largest(long x, int n) {
        float largest = 0;
        for (int i = 0; i < n; i++) {
            largest = Math.max(largest, Math.abs(element(x, i)));
        }
        return largest;
    }

    private static float element(long x, int i) {
        return OffHeap.f32(x + (long) i * Float.BYTES);
    }
}

package io.baton.engine.kernel;

import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;

/**
 * Writes a token's K and V into the pool, rounded to the pool's type; attention reads nothing else. q8 keeps one scale per
 * head-vector and quantises it like one group of {@link Kernels}. This is data movement into scattered lanes, one
 * implementation for all providers.
 */
public final class KvRows {

    private KvRows() {}

    /** @param k all KV heads of the token, rotated; {@code v} likewise */
    public static void store(KvPool pool, int layer, int block, int tokenInBlock, long k, long v) {
        KvLayout layout = pool.layout();
        long unit = pool.address(layer, block);
        for (int head = 0; head < layout.kvHeads(); head++) {
            long skipped = (long) head * layout.headDim() * Float.BYTES;
            switch (layout.type()) {
                case F32 -> storeF32(layout, unit, head, tokenInBlock, k + skipped, v + skipped);
                case BF16 -> storeBf16(layout, unit, head, tokenInBlock, k + skipped, v + skipped);
                case Q8 -> storeQ8(layout, unit, head, tokenInBlock, k + skipped, v + skipped);
            }
        }
    }

    private static void storeF32(KvLayout layout, long unit, int head, int token, long k, long v) {
        for (int d = 0; d < layout.headDim(); d++) {
            OffHeap.f32(unit + layout.key(head, token, d), element(k, d));
            OffHeap.f32(unit + layout.value(head, token, d), element(v, d));
        }
    }

    private static void storeBf16(KvLayout layout, long unit, int head, int token, long k, long v) {
        for (int d = 0; d < layout.headDim(); d++) {
            OffHeap.s16(unit + layout.key(head, token, d), Arithmetic.bf16(element(k, d)));
            OffHeap.s16(unit + layout.value(head, token, d), Arithmetic.bf16(element(v, d)));
        }
    }

    private static void storeQ8(KvLayout layout, long unit, int head, int token, long k, long v) {
        int n = layout.headDim();
        float keyScale = Arithmetic.q8Scale(largest(k, n));
        float valueScale = Arithmetic.q8Scale(largest(v, n));
        float keyInverse = Arithmetic.q8Inverse(keyScale);
        float valueInverse = Arithmetic.q8Inverse(valueScale);
        OffHeap.f32(unit + layout.keyScale(head, token), keyScale);
        OffHeap.f32(unit + layout.valueScale(head, token), valueScale);
        for (int d = 0; d < n; d++) {
            OffHeap.s8(unit + layout.key(head, token, d), (byte) Arithmetic.q8Value(element(k, d), keyInverse));
            OffHeap.s8(unit + layout.value(head, token, d), (byte) Arithmetic.q8Value(element(v, d), valueInverse));
        }
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

package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Activations rounded for the vector products. F32 and BF16 rows are f32. A Q8 row holds the whole numbers as f32 for
 * tiles, the groups' scales, their sums times their scales, and the same numbers as shorts in the order that
 * {@link Q8Tiles#row} wants.
 */
final class VectorRounding {

    private static final long GROUP_BYTES = (long) MatrixFormat.GROUP * Float.BYTES;

    /** Of each four ints the first, third, second, fourth. */
    private static final VectorShuffle<Integer> EVENS_THEN_ODDS =
            VectorShuffle.fromOp(Lanes.S32, i -> (i & ~3) | (i & 1) << 1 | (i & 2) >> 1);

    private VectorRounding() {}

    static long bytes(MatrixFormat format, int columns) {
        return switch (format.activations()) {
            case F32 -> OffHeap.rowBytes(columns);
            case BF16 -> OffHeap.rowBytes(columns + columns % 2);
            case Q8 -> q8Shorts(columns) + OffHeap.aligned((long) columns * Short.BYTES);
        };
    }

    static long q8Scales(int columns) {
        return OffHeap.rowBytes(columns);
    }

    /** For each group {@code (float) Σ q * scale}. */
    static long q8Products(int columns) {
        return q8Scales(columns) + OffHeap.rowBytes(columns / MatrixFormat.GROUP);
    }

    static long q8Shorts(int columns) {
        return q8Products(columns) + OffHeap.rowBytes(columns / MatrixFormat.GROUP);
    }

    static void bf16(long x, int columns, long rounded) {
        for (long at = 0; at < OffHeap.rowBytes(columns); at += Lanes.VECTOR_BYTES) {
            Lanes.store(rounded + at, Lanes.roundToBf16(Lanes.load(x + at)));
        }
    }

    static void q8(long x, int columns, long rounded) {
        long scales = rounded + q8Scales(columns);
        long products = rounded + q8Products(columns);
        long shorts = rounded + q8Shorts(columns);
        for (int group = 0; group < columns / MatrixFormat.GROUP; group++) {
            long at = group * GROUP_BYTES;
            FloatVector highest = Lanes.load(x + at).abs();
            for (long next = at + Lanes.VECTOR_BYTES; next < at + GROUP_BYTES; next += Lanes.VECTOR_BYTES) {
                highest = highest.max(Lanes.load(x + next).abs());
            }
            float largest = highest.reduceLanes(VectorOperators.MAX);
            float scale = Arithmetic.q8Scale(largest);
            float inverse = Arithmetic.q8Inverse(scale);
            OffHeap.f32(scales + (long) group * Float.BYTES, scale);
            FloatVector q = Lanes.zero();
            for (long next = at; next < at + GROUP_BYTES; next += Lanes.VECTOR_BYTES) {
                q = q.add(store(Lanes.load(x + next), inverse, rounded + next, shorts + next / 2));
            }
            // Whole numbers this small add up exactly in any order.
            OffHeap.f32(products + (long) group * Float.BYTES, q.reduceLanes(VectorOperators.ADD) * scale);
        }
    }

    private static FloatVector store(FloatVector x, float inverse, long floats, long shorts) {
        FloatVector shifted = x.mul(inverse).add(Arithmetic.ROUNDER);
        FloatVector q = shifted.sub(Arithmetic.ROUNDER);
        Lanes.store(floats, q);
        IntVector wholes = shifted.reinterpretAsInts(); // the low bits of a value this size are the number itself
        Lanes.storeShorts(shorts, wholes.rearrange(EVENS_THEN_ODDS));
        return q;
    }
}

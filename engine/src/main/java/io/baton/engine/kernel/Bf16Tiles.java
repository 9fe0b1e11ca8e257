package io.baton.engine.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Tiles of an bf16 product: one or four rows of x by one or four panels of weights, {@code y += w x} over {@code columns},
 * ascending. Sixteen accumulators are spelled out because the JIT keeps named ones in registers; more than about twenty
 * cost a factor of eighteen, and so does choosing their initial value, so that they always begin with what y holds. w are
 * addresses of panels, outputs of neighbouring panels lie side by side in y. x is f32
 * that was rounded to bf16; {@code columns} is even.
 */
final class Bf16Tiles {

    private Bf16Tiles() {}

    static void rows4Panels4(long w0, long w1, long w2, long w3, long x, long xStride, long y, long yStride, int columns) {
        FloatVector a00 = Lanes.load(y);
        FloatVector a01 = Lanes.load(y + 1 * Lanes.BYTES);
        FloatVector a02 = Lanes.load(y + 2 * Lanes.BYTES);
        FloatVector a03 = Lanes.load(y + 3 * Lanes.BYTES);
        FloatVector a10 = Lanes.load(y + yStride);
        FloatVector a11 = Lanes.load(y + yStride + 1 * Lanes.BYTES);
        FloatVector a12 = Lanes.load(y + yStride + 2 * Lanes.BYTES);
        FloatVector a13 = Lanes.load(y + yStride + 3 * Lanes.BYTES);
        FloatVector a20 = Lanes.load(y + 2 * yStride);
        FloatVector a21 = Lanes.load(y + 2 * yStride + 1 * Lanes.BYTES);
        FloatVector a22 = Lanes.load(y + 2 * yStride + 2 * Lanes.BYTES);
        FloatVector a23 = Lanes.load(y + 2 * yStride + 3 * Lanes.BYTES);
        FloatVector a30 = Lanes.load(y + 3 * yStride);
        FloatVector a31 = Lanes.load(y + 3 * yStride + 1 * Lanes.BYTES);
        FloatVector a32 = Lanes.load(y + 3 * yStride + 2 * Lanes.BYTES);
        FloatVector a33 = Lanes.load(y + 3 * yStride + 3 * Lanes.BYTES);
        for (int k = 0; k < columns; k += 2) {
            long at = (long) k * (Lanes.BYTES / 2);
            long in = x + (long) k * Float.BYTES;
            IntVector v0 = Lanes.loadInts(w0 + at);
            IntVector v1 = Lanes.loadInts(w1 + at);
            IntVector v2 = Lanes.loadInts(w2 + at);
            IntVector v3 = Lanes.loadInts(w3 + at);
            FloatVector odd0 = odd(v0);
            FloatVector odd1 = odd(v1);
            FloatVector odd2 = odd(v2);
            FloatVector odd3 = odd(v3);
            FloatVector o0 = Lanes.spread(in + Float.BYTES);
            a00 = odd0.fma(o0, a00);
            a01 = odd1.fma(o0, a01);
            a02 = odd2.fma(o0, a02);
            a03 = odd3.fma(o0, a03);
            FloatVector o1 = Lanes.spread(in + xStride + Float.BYTES);
            a10 = odd0.fma(o1, a10);
            a11 = odd1.fma(o1, a11);
            a12 = odd2.fma(o1, a12);
            a13 = odd3.fma(o1, a13);
            FloatVector o2 = Lanes.spread(in + 2 * xStride + Float.BYTES);
            a20 = odd0.fma(o2, a20);
            a21 = odd1.fma(o2, a21);
            a22 = odd2.fma(o2, a22);
            a23 = odd3.fma(o2, a23);
            FloatVector o3 = Lanes.spread(in + 3 * xStride + Float.BYTES);
            a30 = odd0.fma(o3, a30);
            a31 = odd1.fma(o3, a31);
            a32 = odd2.fma(o3, a32);
            a33 = odd3.fma(o3, a33);
            FloatVector even0 = even(v0);
            FloatVector even1 = even(v1);
            FloatVector even2 = even(v2);
            FloatVector even3 = even(v3);
            FloatVector e0 = Lanes.spread(in);
            a00 = even0.fma(e0, a00);
            a01 = even1.fma(e0, a01);
            a02 = even2.fma(e0, a02);
            a03 = even3.fma(e0, a03);
            FloatVector e1 = Lanes.spread(in + xStride);
            a10 = even0.fma(e1, a10);
            a11 = even1.fma(e1, a11);
            a12 = even2.fma(e1, a12);
            a13 = even3.fma(e1, a13);
            FloatVector e2 = Lanes.spread(in + 2 * xStride);
            a20 = even0.fma(e2, a20);
            a21 = even1.fma(e2, a21);
            a22 = even2.fma(e2, a22);
            a23 = even3.fma(e2, a23);
            FloatVector e3 = Lanes.spread(in + 3 * xStride);
            a30 = even0.fma(e3, a30);
            a31 = even1.fma(e3, a31);
            a32 = even2.fma(e3, a32);
            a33 = even3.fma(e3, a33);
        }
        Lanes.store(y, a00);
        Lanes.store(y + 1 * Lanes.BYTES, a01);
        Lanes.store(y + 2 * Lanes.BYTES, a02);
        Lanes.store(y + 3 * Lanes.BYTES, a03);
        Lanes.store(y + yStride, a10);
        Lanes.store(y + yStride + 1 * Lanes.BYTES, a11);
        Lanes.store(y + yStride + 2 * Lanes.BYTES, a12);
        Lanes.store(y + yStride + 3 * Lanes.BYTES, a13);
        Lanes.store(y + 2 * yStride, a20);
        Lanes.store(y + 2 * yStride + 1 * Lanes.BYTES, a21);
        Lanes.store(y + 2 * yStride + 2 * Lanes.BYTES, a22);
        Lanes.store(y + 2 * yStride + 3 * Lanes.BYTES, a23);
        Lanes.store(y + 3 * yStride, a30);
        Lanes.store(y + 3 * yStride + 1 * Lanes.BYTES, a31);
        Lanes.store(y + 3 * yStride + 2 * Lanes.BYTES, a32);
        Lanes.store(y + 3 * yStride + 3 * Lanes.BYTES, a33);
    }

    static void rows4Panel1(long w, long x, long xStride, long y, long yStride, int columns) {
        FloatVector a00 = Lanes.load(y);
        FloatVector a10 = Lanes.load(y + yStride);
        FloatVector a20 = Lanes.load(y + 2 * yStride);
        FloatVector a30 = Lanes.load(y + 3 * yStride);
        for (int k = 0; k < columns; k += 2) {
            long at = (long) k * (Lanes.BYTES / 2);
            long in = x + (long) k * Float.BYTES;
            IntVector v0 = Lanes.loadInts(w + at);
            FloatVector odd0 = odd(v0);
            FloatVector o0 = Lanes.spread(in + Float.BYTES);
            a00 = odd0.fma(o0, a00);
            FloatVector o1 = Lanes.spread(in + xStride + Float.BYTES);
            a10 = odd0.fma(o1, a10);
            FloatVector o2 = Lanes.spread(in + 2 * xStride + Float.BYTES);
            a20 = odd0.fma(o2, a20);
            FloatVector o3 = Lanes.spread(in + 3 * xStride + Float.BYTES);
            a30 = odd0.fma(o3, a30);
            FloatVector even0 = even(v0);
            FloatVector e0 = Lanes.spread(in);
            a00 = even0.fma(e0, a00);
            FloatVector e1 = Lanes.spread(in + xStride);
            a10 = even0.fma(e1, a10);
            FloatVector e2 = Lanes.spread(in + 2 * xStride);
            a20 = even0.fma(e2, a20);
            FloatVector e3 = Lanes.spread(in + 3 * xStride);
            a30 = even0.fma(e3, a30);
        }
        Lanes.store(y, a00);
        Lanes.store(y + yStride, a10);
        Lanes.store(y + 2 * yStride, a20);
        Lanes.store(y + 3 * yStride, a30);
    }

    static void row1Panels4(long w0, long w1, long w2, long w3, long x, long y, int columns) {
        FloatVector a00 = Lanes.load(y);
        FloatVector a01 = Lanes.load(y + 1 * Lanes.BYTES);
        FloatVector a02 = Lanes.load(y + 2 * Lanes.BYTES);
        FloatVector a03 = Lanes.load(y + 3 * Lanes.BYTES);
        for (int k = 0; k < columns; k += 2) {
            long at = (long) k * (Lanes.BYTES / 2);
            long in = x + (long) k * Float.BYTES;
            IntVector v0 = Lanes.loadInts(w0 + at);
            IntVector v1 = Lanes.loadInts(w1 + at);
            IntVector v2 = Lanes.loadInts(w2 + at);
            IntVector v3 = Lanes.loadInts(w3 + at);
            FloatVector odd0 = odd(v0);
            FloatVector odd1 = odd(v1);
            FloatVector odd2 = odd(v2);
            FloatVector odd3 = odd(v3);
            FloatVector o0 = Lanes.spread(in + Float.BYTES);
            a00 = odd0.fma(o0, a00);
            a01 = odd1.fma(o0, a01);
            a02 = odd2.fma(o0, a02);
            a03 = odd3.fma(o0, a03);
            FloatVector even0 = even(v0);
            FloatVector even1 = even(v1);
            FloatVector even2 = even(v2);
            FloatVector even3 = even(v3);
            FloatVector e0 = Lanes.spread(in);
            a00 = even0.fma(e0, a00);
            a01 = even1.fma(e0, a01);
            a02 = even2.fma(e0, a02);
            a03 = even3.fma(e0, a03);
        }
        Lanes.store(y, a00);
        Lanes.store(y + 1 * Lanes.BYTES, a01);
        Lanes.store(y + 2 * Lanes.BYTES, a02);
        Lanes.store(y + 3 * Lanes.BYTES, a03);
    }

    static void row1Panel1(long w, long x, long y, int columns) {
        FloatVector a00 = Lanes.load(y);
        for (int k = 0; k < columns; k += 2) {
            long at = (long) k * (Lanes.BYTES / 2);
            long in = x + (long) k * Float.BYTES;
            IntVector v0 = Lanes.loadInts(w + at);
            FloatVector odd0 = odd(v0);
            FloatVector o0 = Lanes.spread(in + Float.BYTES);
            a00 = odd0.fma(o0, a00);
            FloatVector even0 = even(v0);
            FloatVector e0 = Lanes.spread(in);
            a00 = even0.fma(e0, a00);
        }
        Lanes.store(y, a00);
    }

    /** The first of each pair, as f32. */
    static FloatVector even(IntVector pairs) {
        return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /** The second of each pair, as f32. */
    static FloatVector odd(IntVector pairs) {
        return pairs.and(0xffff0000).reinterpretAsFloats();
    }
}

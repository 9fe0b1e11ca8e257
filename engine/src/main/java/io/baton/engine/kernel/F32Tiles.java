package io.baton.engine.kernel;

import jdk.incubator.vector.FloatVector;

/**
 * Tiles of an f32 product: one or four rows of x by one or four panels of weights, {@code y += w x} over {@code columns},
 * ascending. Sixteen accumulators are spelled out because the JIT keeps named ones in registers; more than about twenty
 * cost a factor of eighteen, and so does choosing their initial value, so that they always begin with what y holds. w are
 * addresses of panels, outputs of neighbouring panels lie side by side in y.
 */
final class F32Tiles {

    private F32Tiles() {}

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
        for (int k = 0; k < columns; k++) {
            long at = (long) k * Lanes.BYTES;
            long in = x + (long) k * Float.BYTES;
            FloatVector v0 = Lanes.load(w0 + at);
            FloatVector v1 = Lanes.load(w1 + at);
            FloatVector v2 = Lanes.load(w2 + at);
            FloatVector v3 = Lanes.load(w3 + at);
            FloatVector x0 = Lanes.spread(in);
            a00 = v0.fma(x0, a00);
            a01 = v1.fma(x0, a01);
            a02 = v2.fma(x0, a02);
            a03 = v3.fma(x0, a03);
            FloatVector x1 = Lanes.spread(in + xStride);
            a10 = v0.fma(x1, a10);
            a11 = v1.fma(x1, a11);
            a12 = v2.fma(x1, a12);
            a13 = v3.fma(x1, a13);
            FloatVector x2 = Lanes.spread(in + 2 * xStride);
            a20 = v0.fma(x2, a20);
            a21 = v1.fma(x2, a21);
            a22 = v2.fma(x2, a22);
            a23 = v3.fma(x2, a23);
            FloatVector x3 = Lanes.spread(in + 3 * xStride);
            a30 = v0.fma(x3, a30);
            a31 = v1.fma(x3, a31);
            a32 = v2.fma(x3, a32);
            a33 = v3.fma(x3, a33);
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
        for (int k = 0; k < columns; k++) {
            long at = (long) k * Lanes.BYTES;
            long in = x + (long) k * Float.BYTES;
            FloatVector v0 = Lanes.load(w + at);
            FloatVector x0 = Lanes.spread(in);
            a00 = v0.fma(x0, a00);
            FloatVector x1 = Lanes.spread(in + xStride);
            a10 = v0.fma(x1, a10);
            FloatVector x2 = Lanes.spread(in + 2 * xStride);
            a20 = v0.fma(x2, a20);
            FloatVector x3 = Lanes.spread(in + 3 * xStride);
            a30 = v0.fma(x3, a30);
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
        for (int k = 0; k < columns; k++) {
            long at = (long) k * Lanes.BYTES;
            long in = x + (long) k * Float.BYTES;
            FloatVector v0 = Lanes.load(w0 + at);
            FloatVector v1 = Lanes.load(w1 + at);
            FloatVector v2 = Lanes.load(w2 + at);
            FloatVector v3 = Lanes.load(w3 + at);
            FloatVector x0 = Lanes.spread(in);
            a00 = v0.fma(x0, a00);
            a01 = v1.fma(x0, a01);
            a02 = v2.fma(x0, a02);
            a03 = v3.fma(x0, a03);
        }
        Lanes.store(y, a00);
        Lanes.store(y + 1 * Lanes.BYTES, a01);
        Lanes.store(y + 2 * Lanes.BYTES, a02);
        Lanes.store(y + 3 * Lanes.BYTES, a03);
    }

    static void row1Panel1(long w, long x, long y, int columns) {
        FloatVector a00 = Lanes.load(y);
        for (int k = 0; k < columns; k++) {
            long at = (long) k * Lanes.BYTES;
            long in = x + (long) k * Float.BYTES;
            a00 = Lanes.load(w + at).fma(Lanes.spread(in), a00);
        }
        Lanes.store(y, a00);
    }
}

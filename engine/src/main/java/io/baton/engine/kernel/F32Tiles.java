package io.baton.engine.kernel;

import static io.baton.engine.kernel.Lanes.BYTES;
import static io.baton.engine.kernel.Lanes.F32;
import static io.baton.engine.kernel.Lanes.ORDER;
import static io.baton.engine.kernel.Lanes.VALUE;
import static io.baton.engine.kernel.Lanes.VECTORS;
import static io.baton.engine.kernel.Lanes.VECTOR_BYTES;
import static io.baton.engine.memory.OffHeap.ALL;

import jdk.incubator.vector.FloatVector;

/**
 * Tiles of an f32 product: one or four rows of x by one or four panels of weights, {@code y += w x} over
 * {@code columns}, ascending. w are addresses of panels, outputs of neighbouring panels lie side by side in y.
 *
 * <p>A panel is one vector wide, two or four. A tile holds as many accumulators as the registers take beside what they
 * are made from: four panels where there are 32 registers a panel wide, else one panel.
 *
 * <p>For the JIT: accumulators are named, so that they stay in registers; they always begin with what y holds, since a
 * choice would cost a deoptimisation; and the Vector API is called directly, because in a method this large the JIT no
 * longer inlines small methods of ours, only the API's own, and one call that is not inlined makes the loop fifty times
 * slower.
 */
final class F32Tiles {

    private F32Tiles() {}

    static void rows4Panels4(
            long w0, long w1, long w2, long w3, long x, long xStride, long y, long yStride, int columns) {
        if (VECTORS == 1) {
            rows4Vectors4(w0, w1, w2, w3, x, xStride, y, yStride, columns);
        } else {
            rows4Panel1(w0, x, xStride, y, yStride, columns);
            rows4Panel1(w1, x, xStride, y + BYTES, yStride, columns);
            rows4Panel1(w2, x, xStride, y + 2 * BYTES, yStride, columns);
            rows4Panel1(w3, x, xStride, y + 3 * BYTES, yStride, columns);
        }
    }

    static void rows4Panel1(long w, long x, long xStride, long y, long yStride, int columns) {
        switch (VECTORS) {
            case 1 -> rows4Vector1(w, x, xStride, y, yStride, columns);
            case 2 -> rows4Vectors2(w, w + VECTOR_BYTES, x, xStride, y, yStride, columns);
            default ->
                rows4Vectors4(
                        w,
                        w + VECTOR_BYTES,
                        w + 2 * VECTOR_BYTES,
                        w + 3 * VECTOR_BYTES,
                        x,
                        xStride,
                        y,
                        yStride,
                        columns);
        }
    }

    static void row1Panels4(long w0, long w1, long w2, long w3, long x, long y, int columns) {
        switch (VECTORS) {
            case 1 -> row1Vectors4(w0, w1, w2, w3, x, y, columns);
            case 2 -> {
                row1Vectors4(w0, w0 + VECTOR_BYTES, w1, w1 + VECTOR_BYTES, x, y, columns);
                row1Vectors4(w2, w2 + VECTOR_BYTES, w3, w3 + VECTOR_BYTES, x, y + 2 * BYTES, columns);
            }
            default -> {
                row1Panel1(w0, x, y, columns);
                row1Panel1(w1, x, y + BYTES, columns);
                row1Panel1(w2, x, y + 2 * BYTES, columns);
                row1Panel1(w3, x, y + 3 * BYTES, columns);
            }
        }
    }

    static void row1Panel1(long w, long x, long y, int columns) {
        switch (VECTORS) {
            case 1 -> row1Vector1(w, x, y, columns);
            case 2 -> row1Vectors2(w, w + VECTOR_BYTES, x, y, columns);
            default -> row1Vectors4(w, w + VECTOR_BYTES, w + 2 * VECTOR_BYTES, w + 3 * VECTOR_BYTES, x, y, columns);
        }
    }

    static void rows4Vectors4(
            long w0, long w1, long w2, long w3, long x, long xStride, long y, long yStride, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        FloatVector a01 = FloatVector.fromMemorySegment(F32, ALL, y + VECTOR_BYTES, ORDER);
        FloatVector a02 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * VECTOR_BYTES, ORDER);
        FloatVector a03 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * VECTOR_BYTES, ORDER);
        FloatVector a10 = FloatVector.fromMemorySegment(F32, ALL, y + yStride, ORDER);
        FloatVector a11 = FloatVector.fromMemorySegment(F32, ALL, y + yStride + VECTOR_BYTES, ORDER);
        FloatVector a12 = FloatVector.fromMemorySegment(F32, ALL, y + yStride + 2 * VECTOR_BYTES, ORDER);
        FloatVector a13 = FloatVector.fromMemorySegment(F32, ALL, y + yStride + 3 * VECTOR_BYTES, ORDER);
        FloatVector a20 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride, ORDER);
        FloatVector a21 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride + VECTOR_BYTES, ORDER);
        FloatVector a22 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride + 2 * VECTOR_BYTES, ORDER);
        FloatVector a23 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride + 3 * VECTOR_BYTES, ORDER);
        FloatVector a30 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride, ORDER);
        FloatVector a31 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride + VECTOR_BYTES, ORDER);
        FloatVector a32 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride + 2 * VECTOR_BYTES, ORDER);
        FloatVector a33 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride + 3 * VECTOR_BYTES, ORDER);
        long row1 = x + xStride;
        long row2 = x + 2 * xStride;
        long row3 = x + 3 * xStride;
        long to1 = w1 - w0;
        long to2 = w2 - w0;
        long to3 = w3 - w0;
        for (int k = 0; k < columns; k++) {
            long at = w0 + (long) k * BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, at, ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(F32, ALL, at + to1, ORDER);
            FloatVector v2 = FloatVector.fromMemorySegment(F32, ALL, at + to2, ORDER);
            FloatVector v3 = FloatVector.fromMemorySegment(F32, ALL, at + to3, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, x + (long) k * Float.BYTES));
            a00 = v0.fma(x0, a00);
            a01 = v1.fma(x0, a01);
            a02 = v2.fma(x0, a02);
            a03 = v3.fma(x0, a03);
            FloatVector x1 = FloatVector.broadcast(F32, ALL.get(VALUE, row1 + (long) k * Float.BYTES));
            a10 = v0.fma(x1, a10);
            a11 = v1.fma(x1, a11);
            a12 = v2.fma(x1, a12);
            a13 = v3.fma(x1, a13);
            FloatVector x2 = FloatVector.broadcast(F32, ALL.get(VALUE, row2 + (long) k * Float.BYTES));
            a20 = v0.fma(x2, a20);
            a21 = v1.fma(x2, a21);
            a22 = v2.fma(x2, a22);
            a23 = v3.fma(x2, a23);
            FloatVector x3 = FloatVector.broadcast(F32, ALL.get(VALUE, row3 + (long) k * Float.BYTES));
            a30 = v0.fma(x3, a30);
            a31 = v1.fma(x3, a31);
            a32 = v2.fma(x3, a32);
            a33 = v3.fma(x3, a33);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
        a01.intoMemorySegment(ALL, y + VECTOR_BYTES, ORDER);
        a02.intoMemorySegment(ALL, y + 2 * VECTOR_BYTES, ORDER);
        a03.intoMemorySegment(ALL, y + 3 * VECTOR_BYTES, ORDER);
        a10.intoMemorySegment(ALL, y + yStride, ORDER);
        a11.intoMemorySegment(ALL, y + yStride + VECTOR_BYTES, ORDER);
        a12.intoMemorySegment(ALL, y + yStride + 2 * VECTOR_BYTES, ORDER);
        a13.intoMemorySegment(ALL, y + yStride + 3 * VECTOR_BYTES, ORDER);
        a20.intoMemorySegment(ALL, y + 2 * yStride, ORDER);
        a21.intoMemorySegment(ALL, y + 2 * yStride + VECTOR_BYTES, ORDER);
        a22.intoMemorySegment(ALL, y + 2 * yStride + 2 * VECTOR_BYTES, ORDER);
        a23.intoMemorySegment(ALL, y + 2 * yStride + 3 * VECTOR_BYTES, ORDER);
        a30.intoMemorySegment(ALL, y + 3 * yStride, ORDER);
        a31.intoMemorySegment(ALL, y + 3 * yStride + VECTOR_BYTES, ORDER);
        a32.intoMemorySegment(ALL, y + 3 * yStride + 2 * VECTOR_BYTES, ORDER);
        a33.intoMemorySegment(ALL, y + 3 * yStride + 3 * VECTOR_BYTES, ORDER);
    }

    static void rows4Vectors2(long w0, long w1, long x, long xStride, long y, long yStride, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        FloatVector a01 = FloatVector.fromMemorySegment(F32, ALL, y + VECTOR_BYTES, ORDER);
        FloatVector a10 = FloatVector.fromMemorySegment(F32, ALL, y + yStride, ORDER);
        FloatVector a11 = FloatVector.fromMemorySegment(F32, ALL, y + yStride + VECTOR_BYTES, ORDER);
        FloatVector a20 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride, ORDER);
        FloatVector a21 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride + VECTOR_BYTES, ORDER);
        FloatVector a30 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride, ORDER);
        FloatVector a31 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride + VECTOR_BYTES, ORDER);
        long row1 = x + xStride;
        long row2 = x + 2 * xStride;
        long row3 = x + 3 * xStride;
        long to1 = w1 - w0;
        for (int k = 0; k < columns; k++) {
            long at = w0 + (long) k * BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, at, ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(F32, ALL, at + to1, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, x + (long) k * Float.BYTES));
            a00 = v0.fma(x0, a00);
            a01 = v1.fma(x0, a01);
            FloatVector x1 = FloatVector.broadcast(F32, ALL.get(VALUE, row1 + (long) k * Float.BYTES));
            a10 = v0.fma(x1, a10);
            a11 = v1.fma(x1, a11);
            FloatVector x2 = FloatVector.broadcast(F32, ALL.get(VALUE, row2 + (long) k * Float.BYTES));
            a20 = v0.fma(x2, a20);
            a21 = v1.fma(x2, a21);
            FloatVector x3 = FloatVector.broadcast(F32, ALL.get(VALUE, row3 + (long) k * Float.BYTES));
            a30 = v0.fma(x3, a30);
            a31 = v1.fma(x3, a31);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
        a01.intoMemorySegment(ALL, y + VECTOR_BYTES, ORDER);
        a10.intoMemorySegment(ALL, y + yStride, ORDER);
        a11.intoMemorySegment(ALL, y + yStride + VECTOR_BYTES, ORDER);
        a20.intoMemorySegment(ALL, y + 2 * yStride, ORDER);
        a21.intoMemorySegment(ALL, y + 2 * yStride + VECTOR_BYTES, ORDER);
        a30.intoMemorySegment(ALL, y + 3 * yStride, ORDER);
        a31.intoMemorySegment(ALL, y + 3 * yStride + VECTOR_BYTES, ORDER);
    }

    static void rows4Vector1(long w, long x, long xStride, long y, long yStride, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        FloatVector a10 = FloatVector.fromMemorySegment(F32, ALL, y + yStride, ORDER);
        FloatVector a20 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride, ORDER);
        FloatVector a30 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride, ORDER);
        long row1 = x + xStride;
        long row2 = x + 2 * xStride;
        long row3 = x + 3 * xStride;
        for (int k = 0; k < columns; k++) {
            long at = w + (long) k * BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, at, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, x + (long) k * Float.BYTES));
            a00 = v0.fma(x0, a00);
            FloatVector x1 = FloatVector.broadcast(F32, ALL.get(VALUE, row1 + (long) k * Float.BYTES));
            a10 = v0.fma(x1, a10);
            FloatVector x2 = FloatVector.broadcast(F32, ALL.get(VALUE, row2 + (long) k * Float.BYTES));
            a20 = v0.fma(x2, a20);
            FloatVector x3 = FloatVector.broadcast(F32, ALL.get(VALUE, row3 + (long) k * Float.BYTES));
            a30 = v0.fma(x3, a30);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
        a10.intoMemorySegment(ALL, y + yStride, ORDER);
        a20.intoMemorySegment(ALL, y + 2 * yStride, ORDER);
        a30.intoMemorySegment(ALL, y + 3 * yStride, ORDER);
    }

    static void row1Vectors4(long w0, long w1, long w2, long w3, long x, long y, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        FloatVector a01 = FloatVector.fromMemorySegment(F32, ALL, y + VECTOR_BYTES, ORDER);
        FloatVector a02 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * VECTOR_BYTES, ORDER);
        FloatVector a03 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * VECTOR_BYTES, ORDER);
        long to1 = w1 - w0;
        long to2 = w2 - w0;
        long to3 = w3 - w0;
        for (int k = 0; k < columns; k++) {
            long at = w0 + (long) k * BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, at, ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(F32, ALL, at + to1, ORDER);
            FloatVector v2 = FloatVector.fromMemorySegment(F32, ALL, at + to2, ORDER);
            FloatVector v3 = FloatVector.fromMemorySegment(F32, ALL, at + to3, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, x + (long) k * Float.BYTES));
            a00 = v0.fma(x0, a00);
            a01 = v1.fma(x0, a01);
            a02 = v2.fma(x0, a02);
            a03 = v3.fma(x0, a03);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
        a01.intoMemorySegment(ALL, y + VECTOR_BYTES, ORDER);
        a02.intoMemorySegment(ALL, y + 2 * VECTOR_BYTES, ORDER);
        a03.intoMemorySegment(ALL, y + 3 * VECTOR_BYTES, ORDER);
    }

    static void row1Vectors2(long w0, long w1, long x, long y, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        FloatVector a01 = FloatVector.fromMemorySegment(F32, ALL, y + VECTOR_BYTES, ORDER);
        long to1 = w1 - w0;
        for (int k = 0; k < columns; k++) {
            long at = w0 + (long) k * BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, at, ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(F32, ALL, at + to1, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, x + (long) k * Float.BYTES));
            a00 = v0.fma(x0, a00);
            a01 = v1.fma(x0, a01);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
        a01.intoMemorySegment(ALL, y + VECTOR_BYTES, ORDER);
    }

    static void row1Vector1(long w, long x, long y, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        for (int k = 0; k < columns; k++) {
            long at = w + (long) k * BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, at, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, x + (long) k * Float.BYTES));
            a00 = v0.fma(x0, a00);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
    }
}

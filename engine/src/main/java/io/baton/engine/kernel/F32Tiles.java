package io.baton.engine.kernel;

import static io.baton.engine.kernel.Lanes.BYTES;
import static io.baton.engine.kernel.Lanes.F32;
import static io.baton.engine.kernel.Lanes.ORDER;
import static io.baton.engine.kernel.Lanes.VALUE;
import static io.baton.engine.memory.OffHeap.ALL;

import jdk.incubator.vector.FloatVector;

/**
 * Tiles of an f32 product: one or four rows of x by one or four panels of weights, {@code y += w x} over
 * {@code columns}, ascending. w are addresses of panels, outputs of neighbouring panels lie side by side in y.
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
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        FloatVector a01 = FloatVector.fromMemorySegment(F32, ALL, y + BYTES, ORDER);
        FloatVector a02 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * BYTES, ORDER);
        FloatVector a03 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * BYTES, ORDER);
        FloatVector a10 = FloatVector.fromMemorySegment(F32, ALL, y + yStride, ORDER);
        FloatVector a11 = FloatVector.fromMemorySegment(F32, ALL, y + yStride + BYTES, ORDER);
        FloatVector a12 = FloatVector.fromMemorySegment(F32, ALL, y + yStride + 2 * BYTES, ORDER);
        FloatVector a13 = FloatVector.fromMemorySegment(F32, ALL, y + yStride + 3 * BYTES, ORDER);
        FloatVector a20 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride, ORDER);
        FloatVector a21 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride + BYTES, ORDER);
        FloatVector a22 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride + 2 * BYTES, ORDER);
        FloatVector a23 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride + 3 * BYTES, ORDER);
        FloatVector a30 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride, ORDER);
        FloatVector a31 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride + BYTES, ORDER);
        FloatVector a32 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride + 2 * BYTES, ORDER);
        FloatVector a33 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride + 3 * BYTES, ORDER);
        for (int k = 0; k < columns; k++) {
            long at = (long) k * BYTES;
            long in = x + (long) k * Float.BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, w0 + at, ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(F32, ALL, w1 + at, ORDER);
            FloatVector v2 = FloatVector.fromMemorySegment(F32, ALL, w2 + at, ORDER);
            FloatVector v3 = FloatVector.fromMemorySegment(F32, ALL, w3 + at, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, in));
            a00 = v0.fma(x0, a00);
            a01 = v1.fma(x0, a01);
            a02 = v2.fma(x0, a02);
            a03 = v3.fma(x0, a03);
            FloatVector x1 = FloatVector.broadcast(F32, ALL.get(VALUE, in + xStride));
            a10 = v0.fma(x1, a10);
            a11 = v1.fma(x1, a11);
            a12 = v2.fma(x1, a12);
            a13 = v3.fma(x1, a13);
            FloatVector x2 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 2 * xStride));
            a20 = v0.fma(x2, a20);
            a21 = v1.fma(x2, a21);
            a22 = v2.fma(x2, a22);
            a23 = v3.fma(x2, a23);
            FloatVector x3 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 3 * xStride));
            a30 = v0.fma(x3, a30);
            a31 = v1.fma(x3, a31);
            a32 = v2.fma(x3, a32);
            a33 = v3.fma(x3, a33);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
        a01.intoMemorySegment(ALL, y + BYTES, ORDER);
        a02.intoMemorySegment(ALL, y + 2 * BYTES, ORDER);
        a03.intoMemorySegment(ALL, y + 3 * BYTES, ORDER);
        a10.intoMemorySegment(ALL, y + yStride, ORDER);
        a11.intoMemorySegment(ALL, y + yStride + BYTES, ORDER);
        a12.intoMemorySegment(ALL, y + yStride + 2 * BYTES, ORDER);
        a13.intoMemorySegment(ALL, y + yStride + 3 * BYTES, ORDER);
        a20.intoMemorySegment(ALL, y + 2 * yStride, ORDER);
        a21.intoMemorySegment(ALL, y + 2 * yStride + BYTES, ORDER);
        a22.intoMemorySegment(ALL, y + 2 * yStride + 2 * BYTES, ORDER);
        a23.intoMemorySegment(ALL, y + 2 * yStride + 3 * BYTES, ORDER);
        a30.intoMemorySegment(ALL, y + 3 * yStride, ORDER);
        a31.intoMemorySegment(ALL, y + 3 * yStride + BYTES, ORDER);
        a32.intoMemorySegment(ALL, y + 3 * yStride + 2 * BYTES, ORDER);
        a33.intoMemorySegment(ALL, y + 3 * yStride + 3 * BYTES, ORDER);
    }

    static void rows4Panel1(long w, long x, long xStride, long y, long yStride, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        FloatVector a10 = FloatVector.fromMemorySegment(F32, ALL, y + yStride, ORDER);
        FloatVector a20 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * yStride, ORDER);
        FloatVector a30 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * yStride, ORDER);
        for (int k = 0; k < columns; k++) {
            long at = (long) k * BYTES;
            long in = x + (long) k * Float.BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, w + at, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, in));
            a00 = v0.fma(x0, a00);
            FloatVector x1 = FloatVector.broadcast(F32, ALL.get(VALUE, in + xStride));
            a10 = v0.fma(x1, a10);
            FloatVector x2 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 2 * xStride));
            a20 = v0.fma(x2, a20);
            FloatVector x3 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 3 * xStride));
            a30 = v0.fma(x3, a30);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
        a10.intoMemorySegment(ALL, y + yStride, ORDER);
        a20.intoMemorySegment(ALL, y + 2 * yStride, ORDER);
        a30.intoMemorySegment(ALL, y + 3 * yStride, ORDER);
    }

    static void row1Panels4(long w0, long w1, long w2, long w3, long x, long y, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        FloatVector a01 = FloatVector.fromMemorySegment(F32, ALL, y + BYTES, ORDER);
        FloatVector a02 = FloatVector.fromMemorySegment(F32, ALL, y + 2 * BYTES, ORDER);
        FloatVector a03 = FloatVector.fromMemorySegment(F32, ALL, y + 3 * BYTES, ORDER);
        for (int k = 0; k < columns; k++) {
            long at = (long) k * BYTES;
            long in = x + (long) k * Float.BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, w0 + at, ORDER);
            FloatVector v1 = FloatVector.fromMemorySegment(F32, ALL, w1 + at, ORDER);
            FloatVector v2 = FloatVector.fromMemorySegment(F32, ALL, w2 + at, ORDER);
            FloatVector v3 = FloatVector.fromMemorySegment(F32, ALL, w3 + at, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, in));
            a00 = v0.fma(x0, a00);
            a01 = v1.fma(x0, a01);
            a02 = v2.fma(x0, a02);
            a03 = v3.fma(x0, a03);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
        a01.intoMemorySegment(ALL, y + BYTES, ORDER);
        a02.intoMemorySegment(ALL, y + 2 * BYTES, ORDER);
        a03.intoMemorySegment(ALL, y + 3 * BYTES, ORDER);
    }

    static void row1Panel1(long w, long x, long y, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        for (int k = 0; k < columns; k++) {
            long at = (long) k * BYTES;
            long in = x + (long) k * Float.BYTES;
            FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, w + at, ORDER);
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, in));
            a00 = v0.fma(x0, a00);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
    }
}

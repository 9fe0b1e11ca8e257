package io.baton.engine.kernel;

import static io.baton.engine.kernel.Lanes.BYTES;
import static io.baton.engine.kernel.Lanes.F32;
import static io.baton.engine.kernel.Lanes.ORDER;
import static io.baton.engine.kernel.Lanes.S32;
import static io.baton.engine.kernel.Lanes.VALUE;
import static io.baton.engine.memory.OffHeap.ALL;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Tiles of a bf16 product: one or four rows of x by one or four panels of weights, {@code y += w x} over
 * {@code columns}, ascending. w are addresses of panels, outputs of neighbouring panels lie side by side in y. x is f32
 * that was rounded to bf16; {@code columns} is even.
 *
 * <p>For the JIT: accumulators are named, so that they stay in registers; they always begin with what y holds, since a
 * choice would cost a deoptimisation; and the Vector API is called directly, because in a method this large the JIT no
 * longer inlines small methods of ours, only the API's own, and one call that is not inlined makes the loop fifty times
 * slower.
 */
final class Bf16Tiles {

    private static final int ODD = 0xffff0000;

    private Bf16Tiles() {}

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
        for (int k = 0; k < columns; k += 2) {
            long at = (long) k * (BYTES / 2);
            long in = x + (long) k * Float.BYTES;
            IntVector v0 = IntVector.fromMemorySegment(S32, ALL, w0 + at, ORDER);
            IntVector v1 = IntVector.fromMemorySegment(S32, ALL, w1 + at, ORDER);
            IntVector v2 = IntVector.fromMemorySegment(S32, ALL, w2 + at, ORDER);
            IntVector v3 = IntVector.fromMemorySegment(S32, ALL, w3 + at, ORDER);
            FloatVector o0 = v0.and(ODD).reinterpretAsFloats();
            FloatVector o1 = v1.and(ODD).reinterpretAsFloats();
            FloatVector o2 = v2.and(ODD).reinterpretAsFloats();
            FloatVector o3 = v3.and(ODD).reinterpretAsFloats();
            FloatVector u0 = FloatVector.broadcast(F32, ALL.get(VALUE, in + Float.BYTES));
            a00 = o0.fma(u0, a00);
            a01 = o1.fma(u0, a01);
            a02 = o2.fma(u0, a02);
            a03 = o3.fma(u0, a03);
            FloatVector u1 = FloatVector.broadcast(F32, ALL.get(VALUE, in + xStride + Float.BYTES));
            a10 = o0.fma(u1, a10);
            a11 = o1.fma(u1, a11);
            a12 = o2.fma(u1, a12);
            a13 = o3.fma(u1, a13);
            FloatVector u2 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 2 * xStride + Float.BYTES));
            a20 = o0.fma(u2, a20);
            a21 = o1.fma(u2, a21);
            a22 = o2.fma(u2, a22);
            a23 = o3.fma(u2, a23);
            FloatVector u3 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 3 * xStride + Float.BYTES));
            a30 = o0.fma(u3, a30);
            a31 = o1.fma(u3, a31);
            a32 = o2.fma(u3, a32);
            a33 = o3.fma(u3, a33);
            FloatVector e0 = v0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector e1 = v1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector e2 = v2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector e3 = v3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, in));
            a00 = e0.fma(x0, a00);
            a01 = e1.fma(x0, a01);
            a02 = e2.fma(x0, a02);
            a03 = e3.fma(x0, a03);
            FloatVector x1 = FloatVector.broadcast(F32, ALL.get(VALUE, in + xStride));
            a10 = e0.fma(x1, a10);
            a11 = e1.fma(x1, a11);
            a12 = e2.fma(x1, a12);
            a13 = e3.fma(x1, a13);
            FloatVector x2 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 2 * xStride));
            a20 = e0.fma(x2, a20);
            a21 = e1.fma(x2, a21);
            a22 = e2.fma(x2, a22);
            a23 = e3.fma(x2, a23);
            FloatVector x3 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 3 * xStride));
            a30 = e0.fma(x3, a30);
            a31 = e1.fma(x3, a31);
            a32 = e2.fma(x3, a32);
            a33 = e3.fma(x3, a33);
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
        for (int k = 0; k < columns; k += 2) {
            long at = (long) k * (BYTES / 2);
            long in = x + (long) k * Float.BYTES;
            IntVector v0 = IntVector.fromMemorySegment(S32, ALL, w + at, ORDER);
            FloatVector o0 = v0.and(ODD).reinterpretAsFloats();
            FloatVector u0 = FloatVector.broadcast(F32, ALL.get(VALUE, in + Float.BYTES));
            a00 = o0.fma(u0, a00);
            FloatVector u1 = FloatVector.broadcast(F32, ALL.get(VALUE, in + xStride + Float.BYTES));
            a10 = o0.fma(u1, a10);
            FloatVector u2 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 2 * xStride + Float.BYTES));
            a20 = o0.fma(u2, a20);
            FloatVector u3 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 3 * xStride + Float.BYTES));
            a30 = o0.fma(u3, a30);
            FloatVector e0 = v0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, in));
            a00 = e0.fma(x0, a00);
            FloatVector x1 = FloatVector.broadcast(F32, ALL.get(VALUE, in + xStride));
            a10 = e0.fma(x1, a10);
            FloatVector x2 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 2 * xStride));
            a20 = e0.fma(x2, a20);
            FloatVector x3 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 3 * xStride));
            a30 = e0.fma(x3, a30);
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
        for (int k = 0; k < columns; k += 2) {
            long at = (long) k * (BYTES / 2);
            long in = x + (long) k * Float.BYTES;
            IntVector v0 = IntVector.fromMemorySegment(S32, ALL, w0 + at, ORDER);
            IntVector v1 = IntVector.fromMemorySegment(S32, ALL, w1 + at, ORDER);
            IntVector v2 = IntVector.fromMemorySegment(S32, ALL, w2 + at, ORDER);
            IntVector v3 = IntVector.fromMemorySegment(S32, ALL, w3 + at, ORDER);
            FloatVector o0 = v0.and(ODD).reinterpretAsFloats();
            FloatVector o1 = v1.and(ODD).reinterpretAsFloats();
            FloatVector o2 = v2.and(ODD).reinterpretAsFloats();
            FloatVector o3 = v3.and(ODD).reinterpretAsFloats();
            FloatVector u0 = FloatVector.broadcast(F32, ALL.get(VALUE, in + Float.BYTES));
            a00 = o0.fma(u0, a00);
            a01 = o1.fma(u0, a01);
            a02 = o2.fma(u0, a02);
            a03 = o3.fma(u0, a03);
            FloatVector e0 = v0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector e1 = v1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector e2 = v2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector e3 = v3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, in));
            a00 = e0.fma(x0, a00);
            a01 = e1.fma(x0, a01);
            a02 = e2.fma(x0, a02);
            a03 = e3.fma(x0, a03);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
        a01.intoMemorySegment(ALL, y + BYTES, ORDER);
        a02.intoMemorySegment(ALL, y + 2 * BYTES, ORDER);
        a03.intoMemorySegment(ALL, y + 3 * BYTES, ORDER);
    }

    static void row1Panel1(long w, long x, long y, int columns) {
        FloatVector a00 = FloatVector.fromMemorySegment(F32, ALL, y, ORDER);
        for (int k = 0; k < columns; k += 2) {
            long at = (long) k * (BYTES / 2);
            long in = x + (long) k * Float.BYTES;
            IntVector v0 = IntVector.fromMemorySegment(S32, ALL, w + at, ORDER);
            FloatVector o0 = v0.and(ODD).reinterpretAsFloats();
            FloatVector u0 = FloatVector.broadcast(F32, ALL.get(VALUE, in + Float.BYTES));
            a00 = o0.fma(u0, a00);
            FloatVector e0 = v0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, in));
            a00 = e0.fma(x0, a00);
        }
        a00.intoMemorySegment(ALL, y, ORDER);
    }

    /** The last column where it has no partner: {@code y += w x} for the even one of a pair alone. */
    static void evenOfPair(long w, long x, long y) {
        FloatVector even = Lanes.loadInts(w).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
        Lanes.store(y, even.fma(Lanes.spread(x), Lanes.load(y)));
    }
}

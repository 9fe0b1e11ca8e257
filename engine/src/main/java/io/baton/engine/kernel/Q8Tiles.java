package io.baton.engine.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Tiles of a q8 product. A group's sum of 32 products of int8 stays below 2^24 and is therefore exact in f32 too: for four
 * rows and more, panels are {@linkplain #unpack unpacked} once to f32 whole numbers and multiplied as fast as f32. For single
 * rows that would cost more than it saves; {@link #row} multiplies the int8 as 16-bit lanes instead.
 */
final class Q8Tiles {

    private static final int GROUP = MatrixFormat.GROUP;

    private Q8Tiles() {}

    /** {@code y += w x} over groups; w are unpacked panels, scales their f32 scales, [groups][panels][16]. */
    static void rows4Panels4(
            long w0, long w1, long w2, long w3, long scales, long x, long xScales, long xStride, long y, long yStride, int groups) {
        for (int group = 0; group < groups; group++) {
            FloatVector a00 = Lanes.zero();
            FloatVector a01 = Lanes.zero();
            FloatVector a02 = Lanes.zero();
            FloatVector a03 = Lanes.zero();
            FloatVector a10 = Lanes.zero();
            FloatVector a11 = Lanes.zero();
            FloatVector a12 = Lanes.zero();
            FloatVector a13 = Lanes.zero();
            FloatVector a20 = Lanes.zero();
            FloatVector a21 = Lanes.zero();
            FloatVector a22 = Lanes.zero();
            FloatVector a23 = Lanes.zero();
            FloatVector a30 = Lanes.zero();
            FloatVector a31 = Lanes.zero();
            FloatVector a32 = Lanes.zero();
            FloatVector a33 = Lanes.zero();
            for (int k = group * GROUP; k < (group + 1) * GROUP; k++) {
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
            long weightScales = scales + (long) group * 4 * Lanes.BYTES;
            long inScales = xScales + (long) group * Float.BYTES;
            FloatVector s0 = Lanes.load(weightScales);
            FloatVector s1 = Lanes.load(weightScales + 1 * Lanes.BYTES);
            FloatVector s2 = Lanes.load(weightScales + 2 * Lanes.BYTES);
            FloatVector s3 = Lanes.load(weightScales + 3 * Lanes.BYTES);
            FloatVector xs0 = Lanes.spread(inScales);
            addScaled(y, a00, s0.mul(xs0));
            addScaled(y + 1 * Lanes.BYTES, a01, s1.mul(xs0));
            addScaled(y + 2 * Lanes.BYTES, a02, s2.mul(xs0));
            addScaled(y + 3 * Lanes.BYTES, a03, s3.mul(xs0));
            FloatVector xs1 = Lanes.spread(inScales + xStride);
            addScaled(y + yStride, a10, s0.mul(xs1));
            addScaled(y + yStride + 1 * Lanes.BYTES, a11, s1.mul(xs1));
            addScaled(y + yStride + 2 * Lanes.BYTES, a12, s2.mul(xs1));
            addScaled(y + yStride + 3 * Lanes.BYTES, a13, s3.mul(xs1));
            FloatVector xs2 = Lanes.spread(inScales + 2 * xStride);
            addScaled(y + 2 * yStride, a20, s0.mul(xs2));
            addScaled(y + 2 * yStride + 1 * Lanes.BYTES, a21, s1.mul(xs2));
            addScaled(y + 2 * yStride + 2 * Lanes.BYTES, a22, s2.mul(xs2));
            addScaled(y + 2 * yStride + 3 * Lanes.BYTES, a23, s3.mul(xs2));
            FloatVector xs3 = Lanes.spread(inScales + 3 * xStride);
            addScaled(y + 3 * yStride, a30, s0.mul(xs3));
            addScaled(y + 3 * yStride + 1 * Lanes.BYTES, a31, s1.mul(xs3));
            addScaled(y + 3 * yStride + 2 * Lanes.BYTES, a32, s2.mul(xs3));
            addScaled(y + 3 * yStride + 3 * Lanes.BYTES, a33, s3.mul(xs3));
        }
    }

    /** The same for one panel. */
    static void rows4Panel1(
            long w, long scales, long x, long xScales, long xStride, long y, long yStride, int groups) {
        for (int group = 0; group < groups; group++) {
            FloatVector a00 = Lanes.zero();
            FloatVector a10 = Lanes.zero();
            FloatVector a20 = Lanes.zero();
            FloatVector a30 = Lanes.zero();
            for (int k = group * GROUP; k < (group + 1) * GROUP; k++) {
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
            long weightScales = scales + (long) group * Lanes.BYTES;
            long inScales = xScales + (long) group * Float.BYTES;
            FloatVector s0 = Lanes.load(weightScales);
            FloatVector xs0 = Lanes.spread(inScales);
            addScaled(y, a00, s0.mul(xs0));
            FloatVector xs1 = Lanes.spread(inScales + xStride);
            addScaled(y + yStride, a10, s0.mul(xs1));
            FloatVector xs2 = Lanes.spread(inScales + 2 * xStride);
            addScaled(y + 2 * yStride, a20, s0.mul(xs2));
            FloatVector xs3 = Lanes.spread(inScales + 3 * xStride);
            addScaled(y + 3 * yStride, a30, s0.mul(xs3));
        }
    }

    private static void addScaled(long y, FloatVector sum, FloatVector scale) {
        Lanes.store(y, sum.fma(scale, Lanes.load(y)));
    }

    /** Widens {@code quads} times {@code [16][4]} int8 to {@code [4][16]} f32. */
    static void unpack(long from, long to, int quads) {
        for (int i = 0; i < quads; i++) {
            IntVector v = Lanes.loadInts(from + (long) i * Lanes.BYTES);
            long out = to + (long) i * 4 * Lanes.BYTES;
            Lanes.store(out, Lanes.toFloats(v.lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24)));
            Lanes.store(
                    out + Lanes.BYTES,
                    Lanes.toFloats(v.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 24)));
            Lanes.store(
                    out + 2 * Lanes.BYTES,
                    Lanes.toFloats(v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 24)));
            Lanes.store(out + 3 * Lanes.BYTES, Lanes.toFloats(v.lanewise(VectorOperators.ASHR, 24)));
        }
    }

    /**
     * One row by one panel. Of each four consecutive values, {@code shorts} holds the first and third, then the second and
     * fourth: that is how four int8 of a lane fall into two 16-bit halves, low bytes and high bytes apart. Two products fit
     * 16 bits, since one factor is at most 127.
     */
    static void row(long panel, long shorts, long xScales, long y, int groups) {
        FloatVector acc = Lanes.zero();
        for (int group = 0; group < groups; group++) {
            long values = panel + MatrixFormat.q8Values(group);
            long in = shorts + (long) group * GROUP * Short.BYTES;
            IntVector sum = IntVector.zero(Lanes.S32);
            for (int quad = 0; quad < GROUP / 4; quad++) {
                ShortVector v = Lanes.loadShorts(values + (long) quad * Lanes.BYTES);
                ShortVector low = v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
                ShortVector high = v.lanewise(VectorOperators.ASHR, 8);
                long pair = in + quad * 4L * Short.BYTES;
                IntVector both = low.mul(Lanes.spreadPair(pair))
                        .add(high.mul(Lanes.spreadPair(pair + 2 * Short.BYTES)))
                        .reinterpretAsInts();
                sum = sum.add(both.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(both.lanewise(VectorOperators.ASHR, 16));
            }
            FloatVector scale = Lanes.loadHalves(panel + MatrixFormat.q8Scales(group))
                    .mul(Lanes.spread(xScales + (long) group * Float.BYTES));
            acc = Lanes.toFloats(sum).fma(scale, acc);
        }
        Lanes.store(y, acc);
    }
}

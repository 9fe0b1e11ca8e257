package io.baton.engine.kernel;

import static io.baton.engine.kernel.Lanes.BYTES;
import static io.baton.engine.kernel.Lanes.F32;
import static io.baton.engine.kernel.Lanes.ORDER;
import static io.baton.engine.kernel.Lanes.S16;
import static io.baton.engine.kernel.Lanes.S32;
import static io.baton.engine.kernel.Lanes.VALUE;
import static io.baton.engine.kernel.Lanes.VECTOR_BYTES;
import static io.baton.engine.memory.OffHeap.ALL;

import io.baton.engine.memory.OffHeap;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * Parts of a quantised product. A group's sum of 32 products of int8 stays below 2^24 and is therefore exact in f32
 * too: for four rows and more, panels are {@linkplain #unpack unpacked} once to f32 whole numbers, rows are
 * {@linkplain #interleave interleaved}, and {@link #rows4Vectors2} multiplies and scales them. For single rows that
 * would cost more than it saves; {@link #row} multiplies the int8 as 16-bit lanes instead.
 */
final class Q8Tiles {

    private static final int GROUP = MatrixFormat.GROUP;
    private static final int ROWS = 4; // of a tile
    /** Panels side by side in a line of a tile's weights: as many as make its two vectors. */
    static final int PANELS = Lanes.VECTORS == 1 ? 2 : 1;

    static final long LINE_BYTES = (long) PANELS * BYTES;

    private static final short NIBBLE = 15;
    private static final long QUAD_BYTES = 4 * Short.BYTES; // of a row of shorts
    private static final int COLUMN_BYTES = ROWS * Float.BYTES; // of a tile's interleaved rows

    private static final VectorShuffle<Float> LOW_ONES = spread(1, false);
    private static final VectorShuffle<Float> HIGH_ONES = spread(1, true);
    private static final VectorShuffle<Float> LOW_TWOS = spread(2, false);
    private static final VectorShuffle<Float> HIGH_TWOS = spread(2, true);
    private static final VectorMask<Float> ODD_ONES = between(1);
    private static final VectorMask<Float> ODD_TWOS = between(2);

    private Q8Tiles() {}

    /** Writes four rows of f32, {@code stride} bytes apart, as {@code [columns][4]}. */
    static void interleave(long x, long stride, int columns, long to) {
        for (int row = 0; row < ROWS; row++) {
            long in = x + row * stride;
            long out = to + (long) row * Float.BYTES;
            for (int k = 0; k < columns; k++) {
                OffHeap.f32(out + (long) k * COLUMN_BYTES, OffHeap.f32(in + (long) k * Float.BYTES));
            }
        }
    }

    /** The same for whole groups of columns. */
    static void interleaveGroups(long x, long stride, int groups, long to) {
        long out = to;
        for (long in = x, end = x + (long) groups * GROUP * Float.BYTES; in < end; in += VECTOR_BYTES) {
            FloatVector a = FloatVector.fromMemorySegment(F32, ALL, in, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F32, ALL, in + stride, ORDER);
            FloatVector c = FloatVector.fromMemorySegment(F32, ALL, in + 2 * stride, ORDER);
            FloatVector d = FloatVector.fromMemorySegment(F32, ALL, in + 3 * stride, ORDER);
            FloatVector lowAb = a.rearrange(LOW_ONES).blend(b.rearrange(LOW_ONES), ODD_ONES);
            FloatVector lowCd = c.rearrange(LOW_ONES).blend(d.rearrange(LOW_ONES), ODD_ONES);
            FloatVector highAb = a.rearrange(HIGH_ONES).blend(b.rearrange(HIGH_ONES), ODD_ONES);
            FloatVector highCd = c.rearrange(HIGH_ONES).blend(d.rearrange(HIGH_ONES), ODD_ONES);
            lowAb.rearrange(LOW_TWOS).blend(lowCd.rearrange(LOW_TWOS), ODD_TWOS).intoMemorySegment(ALL, out, ORDER);
            lowAb.rearrange(HIGH_TWOS)
                    .blend(lowCd.rearrange(HIGH_TWOS), ODD_TWOS)
                    .intoMemorySegment(ALL, out + VECTOR_BYTES, ORDER);
            highAb.rearrange(LOW_TWOS)
                    .blend(highCd.rearrange(LOW_TWOS), ODD_TWOS)
                    .intoMemorySegment(ALL, out + 2 * VECTOR_BYTES, ORDER);
            highAb.rearrange(HIGH_TWOS)
                    .blend(highCd.rearrange(HIGH_TWOS), ODD_TWOS)
                    .intoMemorySegment(ALL, out + 3 * VECTOR_BYTES, ORDER);
            out += ROWS * VECTOR_BYTES;
        }
    }

    /**
     * Spreads runs of lanes of a vector's lower or upper half, so that there is room for as many of another between.
     */
    private static VectorShuffle<Float> spread(int run, boolean upper) {
        int from = upper ? F32.length() / 2 : 0;
        return VectorShuffle.fromOp(F32, i -> from + i / (2 * run) * run + i % run);
    }

    /** The lanes that {@link #spread} leaves to the other vector. */
    private static VectorMask<Float> between(int run) {
        boolean[] lanes = new boolean[F32.length()];
        for (int i = 0; i < lanes.length; i++) {
            lanes[i] = i / run % 2 == 1;
        }
        return VectorMask.fromArray(F32, lanes, 0);
    }

    /**
     * Four interleaved rows by two vectors of weights side by side: per run of {@code runColumns} columns {@code y +=
     * sum * (scale * xScale)}.
     *
     * @param w {@code f32 [runs * runColumns]} lines of {@link #LINE_BYTES}
     * @param scales {@code f32 [runs]} lines of {@link #LINE_BYTES}
     * @param x {@code f32 [runs * runColumns][4]}
     * @param xScales {@code f32 [runs][4]}
     */
    static void rows4Vectors2(
            long w, long scales, long x, long xScales, int runs, int runColumns, long y, long yStride) {
        long y1 = y + yStride;
        long y2 = y + 2 * yStride;
        long y3 = y + 3 * yStride;
        long at = w;
        long in = x;
        for (int run = 0; run < runs; run++) {
            FloatVector a00 = FloatVector.zero(F32);
            FloatVector a01 = FloatVector.zero(F32);
            FloatVector a10 = FloatVector.zero(F32);
            FloatVector a11 = FloatVector.zero(F32);
            FloatVector a20 = FloatVector.zero(F32);
            FloatVector a21 = FloatVector.zero(F32);
            FloatVector a30 = FloatVector.zero(F32);
            FloatVector a31 = FloatVector.zero(F32);
            for (long end = at + runColumns * LINE_BYTES; at < end; at += LINE_BYTES, in += COLUMN_BYTES) {
                FloatVector v0 = FloatVector.fromMemorySegment(F32, ALL, at, ORDER);
                FloatVector v1 = FloatVector.fromMemorySegment(F32, ALL, at + VECTOR_BYTES, ORDER);
                FloatVector x0 = FloatVector.broadcast(F32, ALL.get(VALUE, in));
                a00 = v0.fma(x0, a00);
                a01 = v1.fma(x0, a01);
                FloatVector x1 = FloatVector.broadcast(F32, ALL.get(VALUE, in + Float.BYTES));
                a10 = v0.fma(x1, a10);
                a11 = v1.fma(x1, a11);
                FloatVector x2 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 2 * Float.BYTES));
                a20 = v0.fma(x2, a20);
                a21 = v1.fma(x2, a21);
                FloatVector x3 = FloatVector.broadcast(F32, ALL.get(VALUE, in + 3 * Float.BYTES));
                a30 = v0.fma(x3, a30);
                a31 = v1.fma(x3, a31);
            }
            long scale = scales + run * LINE_BYTES;
            FloatVector s0 = FloatVector.fromMemorySegment(F32, ALL, scale, ORDER);
            FloatVector s1 = FloatVector.fromMemorySegment(F32, ALL, scale + VECTOR_BYTES, ORDER);
            long xScale = xScales + (long) run * COLUMN_BYTES;
            FloatVector f0 = FloatVector.broadcast(F32, ALL.get(VALUE, xScale));
            a00.fma(s0.mul(f0), FloatVector.fromMemorySegment(F32, ALL, y, ORDER))
                    .intoMemorySegment(ALL, y, ORDER);
            a01.fma(s1.mul(f0), FloatVector.fromMemorySegment(F32, ALL, y + VECTOR_BYTES, ORDER))
                    .intoMemorySegment(ALL, y + VECTOR_BYTES, ORDER);
            FloatVector f1 = FloatVector.broadcast(F32, ALL.get(VALUE, xScale + Float.BYTES));
            a10.fma(s0.mul(f1), FloatVector.fromMemorySegment(F32, ALL, y1, ORDER))
                    .intoMemorySegment(ALL, y1, ORDER);
            a11.fma(s1.mul(f1), FloatVector.fromMemorySegment(F32, ALL, y1 + VECTOR_BYTES, ORDER))
                    .intoMemorySegment(ALL, y1 + VECTOR_BYTES, ORDER);
            FloatVector f2 = FloatVector.broadcast(F32, ALL.get(VALUE, xScale + 2 * Float.BYTES));
            a20.fma(s0.mul(f2), FloatVector.fromMemorySegment(F32, ALL, y2, ORDER))
                    .intoMemorySegment(ALL, y2, ORDER);
            a21.fma(s1.mul(f2), FloatVector.fromMemorySegment(F32, ALL, y2 + VECTOR_BYTES, ORDER))
                    .intoMemorySegment(ALL, y2 + VECTOR_BYTES, ORDER);
            FloatVector f3 = FloatVector.broadcast(F32, ALL.get(VALUE, xScale + 3 * Float.BYTES));
            a30.fma(s0.mul(f3), FloatVector.fromMemorySegment(F32, ALL, y3, ORDER))
                    .intoMemorySegment(ALL, y3, ORDER);
            a31.fma(s1.mul(f3), FloatVector.fromMemorySegment(F32, ALL, y3 + VECTOR_BYTES, ORDER))
                    .intoMemorySegment(ALL, y3 + VECTOR_BYTES, ORDER);
        }
    }

    /** Widens {@code quads} times {@code [16][4]} int8 to four times sixteen f32, in lines of {@code lineBytes}. */
    static void unpack(long from, int quads, long to, long lineBytes) {
        for (int i = 0; i < quads; i++) {
            for (long at = 0; at < BYTES; at += VECTOR_BYTES) {
                IntVector v = Lanes.loadInts(from + (long) i * BYTES + at);
                long out = to + i * 4L * lineBytes + at;
                Lanes.store(
                        out, Lanes.toFloats(v.lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24)));
                Lanes.store(
                        out + lineBytes,
                        Lanes.toFloats(v.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 24)));
                Lanes.store(
                        out + 2 * lineBytes,
                        Lanes.toFloats(v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 24)));
                Lanes.store(out + 3 * lineBytes, Lanes.toFloats(v.lanewise(VectorOperators.ASHR, 24)));
            }
        }
    }

    /** {@code y += offsets * xProduct} for four rows and a line of outputs; xProducts are {@code f32 [4]}. */
    static void addOffsets(long offsets, long xProducts, long y, long yStride) {
        for (int row = 0; row < ROWS; row++) {
            FloatVector xProduct = Lanes.spread(xProducts + (long) row * Float.BYTES);
            for (long at = 0; at < LINE_BYTES; at += VECTOR_BYTES) {
                long out = y + row * yStride + at;
                Lanes.store(out, Lanes.load(offsets + at).fma(xProduct, Lanes.load(out)));
            }
        }
    }

    /** {@code y += offsets * xProduct} for one row and one panel. */
    static void addOffset(long offsets, long xProduct, long y) {
        for (long at = 0; at < BYTES; at += VECTOR_BYTES) {
            Lanes.store(y + at, Lanes.load(offsets + at).fma(Lanes.spread(xProduct), Lanes.load(y + at)));
        }
    }

    /**
     * One row by one panel of {@link MatrixFormat#Q8}. Of each four consecutive values, {@code shorts} holds the first
     * and third, then the second and fourth: that is how four int8 of a lane fall into two 16-bit halves, low bytes and
     * high bytes apart. Two products fit 16 bits, since one factor is at most 127.
     */
    static void row(long panel, long shorts, long xScales, long y, int groups) {
        PanelBlock block = MatrixFormat.Q8.block();
        OffHeap.zero(y, BYTES);
        for (int group = 0; group < groups; group++) {
            long in = shorts + (long) group * GROUP * Short.BYTES;
            for (long part = 0; part < BYTES; part += VECTOR_BYTES) {
                IntVector sum = sums(panel + block.values(group) + part, in, GROUP / 4);
                FloatVector scale = Lanes.loadHalves(panel + block.outerScales(group) + part / 2)
                        .mul(Lanes.spread(xScales + (long) group * Float.BYTES));
                Lanes.store(y + part, Lanes.toFloats(sum).fma(scale, Lanes.load(y + part)));
            }
        }
    }

    /**
     * {@code quads} times four columns of one row by one widened panel, added to y; as {@link #row} does it.
     *
     * @param values {@code s8 [quads][16][4]}
     * @param narrow whether the sum of a lane's {@code 2 * quads} products fits 16 bits
     * @param scales sixteen f32
     */
    static void addRow(long values, boolean narrow, long shorts, long scales, long xScale, long y, int quads) {
        for (long part = 0; part < BYTES; part += VECTOR_BYTES) {
            IntVector sum = narrow ? narrowSums(values + part, shorts, quads) : sums(values + part, shorts, quads);
            FloatVector scale = Lanes.load(scales + part).mul(Lanes.spread(xScale));
            Lanes.store(y + part, Lanes.toFloats(sum).fma(scale, Lanes.load(y + part)));
        }
    }

    /**
     * A group of one row by one panel of codes of four bits, added to y; as {@link #addRow} does it for narrow codes,
     * without widening them in memory first.
     *
     * @param nibbles {@code [4][16][4]} bytes, as {@link PanelBlock} has them
     * @param bias what a code has to lose to be a weight
     * @param scales sixteen f32
     */
    static void addNibbleRow(long nibbles, int bias, long shorts, long scales, long xScale, long y) {
        for (long part = 0; part < BYTES; part += VECTOR_BYTES) {
            ShortVector sum = ShortVector.zero(S16);
            long pairs = shorts;
            long at = nibbles + part;
            for (long end = at + GROUP / 8 * BYTES; at < end; at += BYTES, pairs += QUAD_BYTES) {
                ShortVector v = ShortVector.fromMemorySegment(S16, ALL, at, ORDER);
                ShortVector low = v.and(NIBBLE).sub((short) bias);
                ShortVector high =
                        v.lanewise(VectorOperators.LSHR, 8).and(NIBBLE).sub((short) bias);
                sum = sum.add(low.mul(firstThird(pairs))).add(high.mul(secondFourth(pairs)));
                long later = pairs + GROUP / 8 * QUAD_BYTES;
                ShortVector laterLow =
                        v.lanewise(VectorOperators.LSHR, 4).and(NIBBLE).sub((short) bias);
                ShortVector laterHigh = v.lanewise(VectorOperators.LSHR, 12).sub((short) bias);
                sum = sum.add(laterLow.mul(firstThird(later))).add(laterHigh.mul(secondFourth(later)));
            }
            FloatVector scale = Lanes.load(scales + part).mul(Lanes.spread(xScale));
            FloatVector total = Lanes.toFloats(halves(sum.reinterpretAsInts()));
            Lanes.store(y + part, total.fma(scale, Lanes.load(y + part)));
        }
    }

    private static ShortVector firstThird(long quad) {
        return IntVector.broadcast(S32, OffHeap.s32(quad)).reinterpretAsShorts();
    }

    private static ShortVector secondFourth(long quad) {
        return firstThird(quad + 2 * Short.BYTES);
    }

    /** {@code quads} times four columns of one row by a vector of a panel's rows: exact sums. */
    private static IntVector sums(long values, long shorts, int quads) {
        IntVector sum = IntVector.zero(S32);
        for (int quad = 0; quad < quads; quad++) {
            ShortVector both = products(values + (long) quad * BYTES, shorts + quad * QUAD_BYTES);
            sum = sum.add(halves(both.reinterpretAsInts()));
        }
        return sum;
    }

    /** The same where the sum of a lane's products fits 16 bits. */
    private static IntVector narrowSums(long values, long shorts, int quads) {
        ShortVector sum = ShortVector.zero(S16);
        for (int quad = 0; quad < quads; quad++) {
            sum = sum.add(products(values + (long) quad * BYTES, shorts + quad * QUAD_BYTES));
        }
        return halves(sum.reinterpretAsInts());
    }

    /** Of a quad, in 16 bits: of first and second column together, and of third and fourth. */
    private static ShortVector products(long values, long quad) {
        ShortVector v = ShortVector.fromMemorySegment(S16, ALL, values, ORDER);
        ShortVector low = v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
        ShortVector high = v.lanewise(VectorOperators.ASHR, 8);
        return low.mul(firstThird(quad)).add(high.mul(secondFourth(quad)));
    }

    /** The sum of the two 16-bit halves of each lane. */
    private static IntVector halves(IntVector both) {
        return both.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 16)
                .add(both.lanewise(VectorOperators.ASHR, 16));
    }
}

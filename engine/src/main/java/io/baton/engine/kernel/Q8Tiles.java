package io.baton.engine.kernel;

import static io.baton.engine.kernel.Lanes.BYTES;
import static io.baton.engine.kernel.Lanes.F32;
import static io.baton.engine.kernel.Lanes.ORDER;
import static io.baton.engine.kernel.Lanes.S16;
import static io.baton.engine.kernel.Lanes.S32;
import static io.baton.engine.memory.OffHeap.ALL;

import io.baton.engine.memory.OffHeap;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Parts of a quantised product. A group's sum of 32 products of int8 stays below 2^24 and is therefore exact in f32
 * too: for four rows and more, panels are {@linkplain #unpack unpacked} once to f32 whole numbers, multiplied group by
 * group as {@link F32Tiles} and {@linkplain #addScaled scaled}. For single rows that would cost more than it saves;
 * {@link #row} multiplies the int8 as 16-bit lanes instead.
 */
final class Q8Tiles {

    private static final int GROUP = MatrixFormat.GROUP;

    private Q8Tiles() {}

    /**
     * {@code y += sums * (scale * xScale)} for four rows of up to four panels; leaves the sums zero for the next group.
     */
    static void addScaled(
            long sums, long sumStride, long scales, long xScales, long xStride, long y, long yStride, int panels) {
        for (int row = 0; row < 4; row++) {
            FloatVector xScale = Lanes.spread(xScales + row * xStride);
            for (long at = 0; at < (long) panels * BYTES; at += BYTES) {
                long sum = sums + row * sumStride + at;
                long out = y + row * yStride + at;
                FloatVector scale = Lanes.load(scales + at).mul(xScale);
                Lanes.store(out, Lanes.load(sum).fma(scale, Lanes.load(out)));
                Lanes.store(sum, Lanes.zero());
            }
        }
    }

    /** Widens {@code quads} times {@code [16][4]} int8 to {@code [4][16]} f32. */
    static void unpack(long from, long to, int quads) {
        for (int i = 0; i < quads; i++) {
            IntVector v = Lanes.loadInts(from + (long) i * BYTES);
            long out = to + (long) i * 4 * BYTES;
            Lanes.store(out, Lanes.toFloats(v.lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24)));
            Lanes.store(
                    out + BYTES,
                    Lanes.toFloats(v.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 24)));
            Lanes.store(
                    out + 2 * BYTES,
                    Lanes.toFloats(v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 24)));
            Lanes.store(out + 3 * BYTES, Lanes.toFloats(v.lanewise(VectorOperators.ASHR, 24)));
        }
    }

    /** {@code y += offsets * xProduct} for four rows of up to four panels. */
    static void addOffsets(long offsets, long xProducts, long xStride, long y, long yStride, int panels) {
        for (int row = 0; row < 4; row++) {
            FloatVector xProduct = Lanes.spread(xProducts + row * xStride);
            for (long at = 0; at < (long) panels * BYTES; at += BYTES) {
                long out = y + row * yStride + at;
                Lanes.store(out, Lanes.load(offsets + at).fma(xProduct, Lanes.load(out)));
            }
        }
    }

    /** {@code y += offsets * xProduct} for one row and one panel. */
    static void addOffset(long offsets, long xProduct, long y) {
        Lanes.store(y, Lanes.load(offsets).fma(Lanes.spread(xProduct), Lanes.load(y)));
    }

    /**
     * One row by one panel of {@link MatrixFormat#Q8}. Of each four consecutive values, {@code shorts} holds the first
     * and third, then the second and fourth: that is how four int8 of a lane fall into two 16-bit halves, low bytes and
     * high bytes apart. Two products fit 16 bits, since one factor is at most 127.
     */
    static void row(long panel, long shorts, long xScales, long y, int groups) {
        PanelBlock block = MatrixFormat.Q8.block();
        FloatVector acc = FloatVector.zero(F32);
        for (int group = 0; group < groups; group++) {
            long values = panel + block.values(group);
            long in = shorts + (long) group * GROUP * Short.BYTES;
            IntVector sum = IntVector.zero(S32);
            for (int quad = 0; quad < GROUP / 4; quad++) {
                ShortVector v = ShortVector.fromMemorySegment(S16, ALL, values + (long) quad * BYTES, ORDER);
                ShortVector low = v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
                ShortVector high = v.lanewise(VectorOperators.ASHR, 8);
                long pairs = in + quad * 4L * Short.BYTES;
                ShortVector firstThird =
                        IntVector.broadcast(S32, OffHeap.s32(pairs)).reinterpretAsShorts();
                ShortVector secondFourth = IntVector.broadcast(S32, OffHeap.s32(pairs + 2 * Short.BYTES))
                        .reinterpretAsShorts();
                IntVector both = low.mul(firstThird).add(high.mul(secondFourth)).reinterpretAsInts();
                sum = sum.add(both.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                        .add(both.lanewise(VectorOperators.ASHR, 16));
            }
            FloatVector scale = Lanes.loadHalves(panel + block.outerScales(group))
                    .mul(Lanes.spread(xScales + (long) group * Float.BYTES));
            acc = Lanes.toFloats(sum).fma(scale, acc);
        }
        Lanes.store(y, acc);
    }

    /**
     * {@code quads} times four columns of one row by one widened panel, added to y; as {@link #row} does it.
     *
     * @param values {@code s8 [quads][16][4]}
     * @param scales sixteen f32
     */
    static void addRow(long values, long shorts, long scales, long xScale, long y, int quads) {
        IntVector sum = IntVector.zero(S32);
        for (int quad = 0; quad < quads; quad++) {
            ShortVector v = ShortVector.fromMemorySegment(S16, ALL, values + (long) quad * BYTES, ORDER);
            ShortVector low = v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
            ShortVector high = v.lanewise(VectorOperators.ASHR, 8);
            long pairs = shorts + quad * 4L * Short.BYTES;
            ShortVector firstThird =
                    IntVector.broadcast(S32, OffHeap.s32(pairs)).reinterpretAsShorts();
            ShortVector secondFourth = IntVector.broadcast(S32, OffHeap.s32(pairs + 2 * Short.BYTES))
                    .reinterpretAsShorts();
            IntVector both = low.mul(firstThird).add(high.mul(secondFourth)).reinterpretAsInts();
            sum = sum.add(both.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                    .add(both.lanewise(VectorOperators.ASHR, 16));
        }
        FloatVector scale = Lanes.load(scales).mul(Lanes.spread(xScale));
        Lanes.store(y, Lanes.toFloats(sum).fma(scale, Lanes.load(y)));
    }
}

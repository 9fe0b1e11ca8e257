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
 * Parts of a q8 product. A group's sum of 32 products of int8 stays below 2^24 and is therefore exact in f32 too: for
 * four rows and more, panels are {@linkplain #unpack unpacked} once to f32 whole numbers, multiplied group by group as
 * {@link F32Tiles} and {@linkplain #addScaled scaled}. For single rows that would cost more than it saves; {@link #row}
 * multiplies the int8 as 16-bit lanes instead.
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

    /**
     * One row by one panel. Of each four consecutive values, {@code shorts} holds the first and third, then the second
     * and fourth: that is how four int8 of a lane fall into two 16-bit halves, low bytes and high bytes apart. Two
     * products fit 16 bits, since one factor is at most 127.
     */
    static void row(long panel, long shorts, long xScales, long y, int groups) {
        FloatVector acc = FloatVector.zero(F32);
        for (int group = 0; group < groups; group++) {
            long values = panel + MatrixFormat.q8Values(group);
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
            FloatVector scale = Lanes.loadHalves(panel + MatrixFormat.q8Scales(group))
                    .mul(Lanes.spread(xScales + (long) group * Float.BYTES));
            acc = Lanes.toFloats(sum).fma(scale, acc);
        }
        Lanes.store(y, acc);
    }
}

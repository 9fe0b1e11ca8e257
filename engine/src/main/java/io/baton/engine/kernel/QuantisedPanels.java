package io.baton.engine.kernel;

import static io.baton.engine.kernel.Lanes.BYTES;
import static io.baton.engine.memory.OffHeap.ALL;

import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Widens groups of quantised panels, sixteen rows at a time, to the form the vector kernels multiply: {@code s8
 * [8][16][4]} as {@link MatrixFormat#Q8} has it in place, and f32 scales and offsets.
 */
final class QuantisedPanels {

    /** Bytes of a widened group. */
    static final int GROUP_BYTES = MatrixFormat.GROUP * MatrixFormat.PANEL_ROWS;

    private static final int QUADS = MatrixFormat.GROUP / 4;
    private static final int NIBBLES = 0x0f0f0f0f;
    private static final IntVector LEVELS = IntVector.fromArray(
            Lanes.S32, IntStream.range(0, 16).map(PanelBlock::level).toArray(), 0);

    private QuantisedPanels() {}

    /** Where the widened values of a group are: in the panel itself, or written to {@code scratch} by this call. */
    static long values(PanelBlock block, long panel, int group, long scratch) {
        long values = panel + block.values(group);
        switch (block.bits()) {
            case 8 -> {
                return values;
            }
            case 4 -> nibbles(values, scratch, block.bias());
            case 5 -> fiveBits(values, Lanes.loadInts(panel + block.highBits(group)), scratch, block.bias());
            default -> sixBits(values, panel + block.highBits(group), scratch, block.bias());
        }
        if (block.uneven()) {
            levels(scratch);
        }
        return scratch;
    }

    private static void nibbles(long values, long to, int bias) {
        for (int quad = 0; quad < QUADS / 2; quad++) {
            IntVector both = Lanes.loadInts(values + (long) quad * BYTES);
            store(both.and(NIBBLES), bias, quad, to);
            store(both.lanewise(VectorOperators.LSHR, 4).and(NIBBLES), bias, quad + QUADS / 2, to);
        }
    }

    private static void fiveBits(long values, IntVector fifths, long to, int bias) {
        for (int quad = 0; quad < QUADS / 2; quad++) {
            IntVector both = Lanes.loadInts(values + (long) quad * BYTES);
            IntVector low = fifths.lanewise(VectorOperators.LSHR, quad).and(0x01010101);
            IntVector high =
                    fifths.lanewise(VectorOperators.LSHR, quad + QUADS / 2).and(0x01010101);
            store(both.and(NIBBLES).or(low.lanewise(VectorOperators.LSHL, 4)), bias, quad, to);
            store(
                    both.lanewise(VectorOperators.LSHR, 4).and(NIBBLES).or(high.lanewise(VectorOperators.LSHL, 4)),
                    bias,
                    quad + QUADS / 2,
                    to);
        }
    }

    private static void sixBits(long values, long highBits, long to, int bias) {
        IntVector lows = Lanes.loadInts(highBits);
        IntVector highs = Lanes.loadInts(highBits + BYTES);
        for (int quad = 0; quad < QUADS / 2; quad++) {
            IntVector both = Lanes.loadInts(values + (long) quad * BYTES);
            IntVector low = lows.lanewise(VectorOperators.LSHR, 2 * quad).and(0x03030303);
            IntVector high = highs.lanewise(VectorOperators.LSHR, 2 * quad).and(0x03030303);
            store(both.and(NIBBLES).or(low.lanewise(VectorOperators.LSHL, 4)), bias, quad, to);
            store(
                    both.lanewise(VectorOperators.LSHR, 4).and(NIBBLES).or(high.lanewise(VectorOperators.LSHL, 4)),
                    bias,
                    quad + QUADS / 2,
                    to);
        }
    }

    /** Four codes per lane, each less the bias. */
    private static void store(IntVector codes, int bias, int quad, long to) {
        // With their top bits set the bytes do not borrow from each other.
        IntVector weights = codes.or(0x80808080).sub(bias * 0x01010101).lanewise(VectorOperators.XOR, 0x80808080);
        weights.intoMemorySegment(ALL, to + (long) quad * BYTES, Lanes.ORDER);
    }

    /** Replaces codes by what they stand for. */
    private static void levels(long at) {
        for (long quad = at; quad < at + GROUP_BYTES; quad += BYTES) {
            IntVector codes = Lanes.loadInts(quad);
            IntVector levels = codes.and(15).selectFrom(LEVELS).and(0xff);
            for (int shift = 8; shift < Integer.SIZE; shift += 8) {
                IntVector level = codes.lanewise(VectorOperators.LSHR, shift)
                        .and(15)
                        .selectFrom(LEVELS)
                        .and(0xff);
                levels = levels.or(level.lanewise(VectorOperators.LSHL, shift));
            }
            levels.intoMemorySegment(ALL, quad, Lanes.ORDER);
        }
    }

    /** Writes the sixteen scales of half {@code which} of a group, or of the whole where it has one, as f32. */
    static void scales(PanelBlock block, long panel, int group, int which, long to) {
        FloatVector outer = Lanes.loadHalves(panel + block.outerScales(group));
        Lanes.store(
                to, block.scales().nested() ? outer.mul(Lanes.loadBytes(inner(block, panel, group, which))) : outer);
    }

    /** Writes the sixteen offsets of a group as f32; for formats that have them. */
    static void offsets(PanelBlock block, long panel, int group, long to) {
        FloatVector outer = Lanes.loadHalves(panel + block.outerOffsets(group));
        Lanes.store(
                to,
                block.scales().nested()
                        ? outer.mul(Lanes.loadBytes(inner(block, panel, group, 1)))
                                .neg()
                        : outer);
    }

    private static long inner(PanelBlock block, long panel, int group, int which) {
        return panel + block.innerScales(group) + (long) which * MatrixFormat.PANEL_ROWS;
    }
}

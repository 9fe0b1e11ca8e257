package io.baton.engine.kernel;

import static io.baton.engine.kernel.Lanes.BYTES;
import static io.baton.engine.kernel.Lanes.ORDER;
import static io.baton.engine.kernel.Lanes.VECTOR_BYTES;
import static io.baton.engine.memory.OffHeap.ALL;

import jdk.incubator.vector.ByteVector;
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
    private static final long HIGH_QUADS = (long) QUADS / 2 * BYTES; // columns whose codes are the high nibbles
    private static final int NIBBLES = 0x0f0f0f0f;
    private static final ByteVector LEVELS = ByteVector.fromArray(ByteVector.SPECIES_128, PanelBlock.levels(), 0);

    private QuantisedPanels() {}

    /** Where the widened values of a group are: in the panel itself, or written to {@code scratch} by this call. */
    static long values(PanelBlock block, long panel, int group, long scratch) {
        long values = panel + block.values(group);
        switch (block.bits()) {
            case 8 -> {
                return values;
            }
            case 4 -> nibbles(values, scratch, block.bias());
            case 5 -> fiveBits(values, panel + block.highBits(group), scratch, block.bias());
            default -> sixBits(values, panel + block.highBits(group), scratch, block.bias());
        }
        if (block.uneven()) {
            levels(scratch);
        }
        return scratch;
    }

    private static void nibbles(long values, long to, int bias) {
        for (long at = 0; at < QUADS / 2 * BYTES; at += VECTOR_BYTES) {
            IntVector both = Lanes.loadInts(values + at);
            store(both.and(NIBBLES), bias, to + at);
            store(both.lanewise(VectorOperators.LSHR, 4).and(NIBBLES), bias, to + HIGH_QUADS + at);
        }
    }

    private static void fiveBits(long values, long fifthBits, long to, int bias) {
        for (long at = 0; at < BYTES; at += VECTOR_BYTES) {
            IntVector fifths = Lanes.loadInts(fifthBits + at);
            for (int quad = 0; quad < QUADS / 2; quad++) {
                long in = at + (long) quad * BYTES;
                IntVector both = Lanes.loadInts(values + in);
                IntVector low = fifths.lanewise(VectorOperators.LSHR, quad).and(0x01010101);
                IntVector high =
                        fifths.lanewise(VectorOperators.LSHR, quad + QUADS / 2).and(0x01010101);
                store(both.and(NIBBLES).or(low.lanewise(VectorOperators.LSHL, 4)), bias, to + in);
                store(
                        both.lanewise(VectorOperators.LSHR, 4).and(NIBBLES).or(high.lanewise(VectorOperators.LSHL, 4)),
                        bias,
                        to + HIGH_QUADS + in);
            }
        }
    }

    private static void sixBits(long values, long highBits, long to, int bias) {
        for (long at = 0; at < BYTES; at += VECTOR_BYTES) {
            IntVector lows = Lanes.loadInts(highBits + at);
            IntVector highs = Lanes.loadInts(highBits + BYTES + at);
            for (int quad = 0; quad < QUADS / 2; quad++) {
                long in = at + (long) quad * BYTES;
                IntVector both = Lanes.loadInts(values + in);
                IntVector low = lows.lanewise(VectorOperators.LSHR, 2 * quad).and(0x03030303);
                IntVector high = highs.lanewise(VectorOperators.LSHR, 2 * quad).and(0x03030303);
                store(both.and(NIBBLES).or(low.lanewise(VectorOperators.LSHL, 4)), bias, to + in);
                store(
                        both.lanewise(VectorOperators.LSHR, 4).and(NIBBLES).or(high.lanewise(VectorOperators.LSHL, 4)),
                        bias,
                        to + HIGH_QUADS + in);
            }
        }
    }

    /** Four codes per lane, each less the bias. */
    private static void store(IntVector codes, int bias, long to) {
        // With their top bits set the bytes do not borrow from each other.
        IntVector weights = codes.or(0x80808080).sub(bias * 0x01010101).lanewise(VectorOperators.XOR, 0x80808080);
        weights.intoMemorySegment(ALL, to, ORDER);
    }

    /** Replaces codes by what they stand for. */
    private static void levels(long group) {
        for (long at = group; at < group + GROUP_BYTES; at += LEVELS.byteSize()) {
            ByteVector codes = ByteVector.fromMemorySegment(ByteVector.SPECIES_128, ALL, at, ORDER);
            codes.selectFrom(LEVELS).intoMemorySegment(ALL, at, ORDER);
        }
    }

    /** Writes the sixteen scales of half {@code which} of a group, or of the whole where it has one, as f32. */
    static void scales(PanelBlock block, long panel, int group, int which, long to) {
        long outer = panel + block.outerScales(group);
        long inner = inner(block, panel, group, which);
        for (long at = 0; at < BYTES; at += VECTOR_BYTES) {
            FloatVector scale = Lanes.loadHalves(outer + at / 2);
            Lanes.store(to + at, block.scales().nested() ? scale.mul(Lanes.loadBytes(inner + at / 4)) : scale);
        }
    }

    /** Writes the sixteen offsets of a group as f32; for formats that have them. */
    static void offsets(PanelBlock block, long panel, int group, long to) {
        long outer = panel + block.outerOffsets(group);
        long inner = inner(block, panel, group, 1);
        for (long at = 0; at < BYTES; at += VECTOR_BYTES) {
            FloatVector offset = Lanes.loadHalves(outer + at / 2);
            Lanes.store(
                    to + at,
                    block.scales().nested()
                            ? offset.mul(Lanes.loadBytes(inner + at / 4)).neg()
                            : offset);
        }
    }

    private static long inner(PanelBlock block, long panel, int group, int which) {
        return panel + block.innerScales(group) + (long) which * MatrixFormat.PANEL_ROWS;
    }
}

package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;

/**
 * How a block of a quantised panel lies in memory: the scales of its groups as {@link Scales} says, then the values of
 * one group of 32 columns after the other. A group of 8 bits is {@code s8 [8][16][4]}, each quad of columns of the
 * sixteen rows together. With less bits a value is a code: nibbles {@code [4][16][4]}, where byte {@code [i][row][j]}
 * holds column {@code 4i + j} in its low half and {@code 16 + 4i + j} in its high half, then what a fifth or sixth bit
 * adds. Fifth bits are {@code [16][4]} bytes, bit i of byte j for column {@code 4i + j}; fifth and sixth bits are
 * {@code [2][16][4]}, bits 2i and 2i + 1 of byte {@code [h][row][j]} for column {@code 16h + 4i + j}.
 *
 * <p>The reading methods are the definition of a weight and of its scale; both are exact in f32.
 *
 * @param bits of a value
 * @param bias what a code has to lose to be a weight
 * @param uneven whether codes stand for {@link #LEVELS} instead
 */
record PanelBlock(int bits, int bias, boolean uneven, Scales scales) {

    /** How the scales of a block lie before its values. */
    enum Scales {
        /** {@code f16 scale[2][16]}. */
        PLAIN(2, 64),
        /** {@code f16 scale[2][16], offset[2][16]}. */
        WITH_OFFSETS(2, 128),
        /** {@code f16 d[16], dmin[16]; {u8 scale[16], min[16]}[8]}. */
        NESTED_WITH_MINS(8, 320),
        /** {@code f16 d[16]; 32 unused bytes; s8 scale[8][2][16]}: groups have a scale for each half. */
        NESTED_HALVES(8, 320);

        /** Groups of 32 columns per block. */
        final int groups;

        final int bytes;

        Scales(int groups, int bytes) {
            this.groups = groups;
            this.bytes = bytes;
        }

        boolean nested() {
            return groups > 2;
        }

        boolean offsets() {
            return this == WITH_OFFSETS || this == NESTED_WITH_MINS;
        }

        /** Scales of a group. */
        int perGroup() {
            return this == NESTED_HALVES ? 2 : 1;
        }
    }

    /** Where the scales of groups begin when they are nested, and the offsets when they are not. */
    static final int SECOND = 64;

    private static final int HALVES = MatrixFormat.PANEL_ROWS * Short.BYTES; // sixteen f16, or two times sixteen bytes
    private static final int NIBBLES = MatrixFormat.GROUP * MatrixFormat.PANEL_ROWS / 2;
    private static final byte[] LEVELS = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    /** What the sixteen codes of an uneven format stand for. */
    static byte[] levels() {
        return LEVELS.clone();
    }

    /** What code {@code i} stands for in an uneven format. */
    static byte level(int code) {
        return LEVELS[code];
    }

    int columns() {
        return scales.groups * MatrixFormat.GROUP;
    }

    int groupBytes() {
        return bits * MatrixFormat.GROUP * MatrixFormat.PANEL_ROWS / Byte.SIZE;
    }

    int bytes() {
        return scales.bytes + scales.groups * groupBytes();
    }

    /** Columns that share a scale. */
    int scaleColumns() {
        return MatrixFormat.GROUP / scales.perGroup();
    }

    /**
     * Whether half of the products of a scale's columns with values of at most ±127 can be summed in 16 bits: sixteen
     * with weights from −16 to 15, or eight from −32 to 31.
     */
    boolean narrow() {
        return !uneven && (bits == 4 || (bits < Byte.SIZE && bias > 0));
    }

    /** Where the block of a group begins in a panel. */
    long block(int group) {
        return (long) (group / scales.groups) * bytes();
    }

    /** Where the sixteen f16 scales of a group lie, or those of its block. */
    long outerScales(int group) {
        return block(group) + (scales.nested() ? 0 : (long) group % scales.groups * HALVES);
    }

    /** Where the sixteen f16 offsets of a group lie, or those of its block. */
    long outerOffsets(int group) {
        return outerScales(group) + (scales.nested() ? HALVES : SECOND);
    }

    /** Where the two times sixteen bytes of a group lie that scale the block's scales. */
    long innerScales(int group) {
        return block(group) + SECOND + (long) group % scales.groups * HALVES;
    }

    /** Where the values of a group lie in a panel. */
    long values(int group) {
        return block(group) + scales.bytes + (long) group % scales.groups * groupBytes();
    }

    /** Where the high bits of a group lie in a panel. */
    long highBits(int group) {
        return values(group) + NIBBLES;
    }

    /** The integer weight of a row in column {@code k}. */
    int weight(long panel, int k, int lane) {
        int quad = k % MatrixFormat.GROUP >> 2;
        long values = panel + values(k / MatrixFormat.GROUP) + (long) lane * Integer.BYTES + (k & 3);
        if (bits == Byte.SIZE) {
            return OffHeap.s8(values + (long) quad * OffHeap.ALIGNMENT);
        }
        int code = OffHeap.s8(values + (quad & 3L) * OffHeap.ALIGNMENT) >> (quad & 4) & 15;
        int high = bits - 4;
        if (high == 1) {
            code |= (OffHeap.s8(values + NIBBLES) >> quad & 1) << 4;
        } else if (high == 2) {
            code |= (OffHeap.s8(values + NIBBLES + (quad >> 2) * (long) OffHeap.ALIGNMENT) >> (2 * (quad & 3)) & 3)
                    << 4;
        }
        return uneven ? LEVELS[code] : code - bias;
    }

    /** What a row's weight in column {@code k} is multiplied by. */
    float scale(long panel, int k, int lane) {
        int group = k / MatrixFormat.GROUP;
        float outer = half(panel + outerScales(group), lane);
        int half = k % MatrixFormat.GROUP / scaleColumns();
        return scales.nested() ? outer * inner(panel, group, half, lane) : outer;
    }

    /** What is added to a row's scaled weights of a group; 0 in formats without. */
    float offset(long panel, int group, int lane) {
        return switch (scales) {
            case PLAIN, NESTED_HALVES -> 0;
            case WITH_OFFSETS -> half(panel + outerOffsets(group), lane);
            case NESTED_WITH_MINS -> -(half(panel + outerOffsets(group), lane) * inner(panel, group, 1, lane));
        };
    }

    private static float half(long halves, int lane) {
        return Float.float16ToFloat(OffHeap.s16(halves + (long) lane * Short.BYTES));
    }

    /** Unsigned ones have six bits, so that a signed byte holds both kinds. */
    private byte inner(long panel, int group, int which, int lane) {
        return OffHeap.s8(panel + innerScales(group) + (long) which * MatrixFormat.PANEL_ROWS + lane);
    }
}

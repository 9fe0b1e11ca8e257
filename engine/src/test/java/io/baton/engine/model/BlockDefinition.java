package io.baton.engine.model;

import io.baton.model.files.TensorType;

/**
 * One value of a row of blocks, as ggml's block definitions say, one at a time and in double precision. All operations
 * are exact: f16 are multiples of 2^-24 below 2^16, and no value takes more than 52 bits of those.
 */
final class BlockDefinition {

    private static final int[] LEVELS = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private BlockDefinition() {}

    static double value(TensorType type, byte[] row, int k) {
        int block = k / type.blockElements() * type.blockBytes();
        int i = k % type.blockElements();
        return switch (type) {
            case Q8_0 -> half(row, block) * row[block + 2 + i];
            case Q4_0 -> half(row, block) * (nibble(row, block + 2, i) - 8);
            case IQ4_NL -> half(row, block) * LEVELS[nibble(row, block + 2, i)];
            case Q4_1 -> half(row, block) * nibble(row, block + 4, i) + half(row, block + 2);
            case Q5_0 -> half(row, block) * ((nibble(row, block + 6, i) | bit(row, block + 2, i) << 4) - 16);
            case Q5_1 ->
                half(row, block) * (nibble(row, block + 8, i) | bit(row, block + 4, i) << 4) + half(row, block + 2);
            case Q4_K -> nested(row, block, i, wideNibble(row, block + 16, i));
            case Q5_K -> {
                int fifth = row[block + 16 + i % 32] >> (i / 32) & 1;
                yield nested(row, block, i, wideNibble(row, block + 48, i) | fifth << 4);
            }
            case Q6_K -> {
                int half = i / 128;
                int quarter = i % 128 / 32;
                int low = row[block + half * 64 + quarter % 2 * 32 + i % 32] >> (quarter / 2 * 4) & 15;
                int high = row[block + 128 + half * 32 + i % 32] >> (quarter * 2) & 3;
                yield half(row, block + 208) * row[block + 192 + i / 16] * ((low | high << 4) - 32);
            }
            default -> throw new IllegalArgumentException(type + " is not read");
        };
    }

    private static double half(byte[] row, int at) {
        return Float.float16ToFloat((short) ((row[at] & 0xff) | row[at + 1] << 8));
    }

    /** Low halves of sixteen bytes first, then the high ones. */
    private static int nibble(byte[] row, int at, int i) {
        return row[at + i % 16] >> (i / 16 * 4) & 15;
    }

    /** Low halves of 32 bytes, then their high ones; then the next 32 bytes. */
    private static int wideNibble(byte[] row, int at, int i) {
        return row[at + i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
    }

    private static int bit(byte[] row, int at, int i) {
        return row[at + i / 8] >> i % 8 & 1;
    }

    /** Scales and minima have six bits: of the first four in bytes of their own, of the last four in two pieces. */
    private static double nested(byte[] row, int block, int i, int code) {
        int[] packed = new int[12];
        for (int b = 0; b < 12; b++) {
            packed[b] = row[block + 4 + b] & 0xff;
        }
        int group = i / 32;
        int scale = group < 4 ? packed[group] % 64 : packed[group + 4] % 16 + packed[group - 4] / 64 * 16;
        int minimum = group < 4 ? packed[group + 4] % 64 : packed[group + 4] / 16 + packed[group] / 64 * 16;
        return half(row, block) * scale * code - half(row, block + 2) * minimum;
    }
}

package io.baton.engine.model;

import io.baton.model.files.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Rounds values to blocks of a quantised type; plain rounding to the range of a group, without a search for better. */
public final class TestingQuantiser {

    private static final int[] LEVELS = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private TestingQuantiser() {}

    /** A tensor's content, rows of whole blocks. */
    public static byte[] blocks(TensorType type, float[] values) {
        int blockColumns = type.blockElements();
        ByteBuffer out = ByteBuffer.allocate(values.length / blockColumns * type.blockBytes())
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int first = 0; first < values.length; first += blockColumns) {
            switch (type) {
                case Q8_0 -> evenBytes(values, first, out);
                case Q4_0 -> small(values, first, 8, out);
                case Q5_0 -> small(values, first, 16, out);
                case IQ4_NL -> uneven(values, first, out);
                case Q4_1 -> ranged(values, first, 15, out);
                case Q5_1 -> ranged(values, first, 31, out);
                case Q4_K -> nested(values, first, 15, out);
                case Q5_K -> nested(values, first, 31, out);
                case Q6_K -> sixBits(values, first, out);
                default -> throw new IllegalArgumentException("no rounding to " + type);
            }
        }
        return out.array();
    }

    private static float half(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    private static void putHalf(ByteBuffer out, float value) {
        out.putShort(Float.floatToFloat16(value));
    }

    private static float largest(float[] values, int from, int count) {
        float largest = 0;
        for (int i = from; i < from + count; i++) {
            largest = Math.max(largest, Math.abs(values[i]));
        }
        return largest;
    }

    private static int code(float value, float scale, int lowest, int highest) {
        return scale == 0 ? 0 : Math.clamp(Math.round(value / scale), lowest, highest);
    }

    private static void evenBytes(float[] values, int from, ByteBuffer out) {
        float scale = half(largest(values, from, 32) / 127);
        putHalf(out, scale);
        for (int i = 0; i < 32; i++) {
            out.put((byte) code(values[from + i], scale, -127, 127));
        }
    }

    private static void small(float[] values, int from, int bias, ByteBuffer out) {
        float scale = half(largest(values, from, 32) / (bias - 1));
        putHalf(out, scale);
        int[] codes = new int[32];
        for (int i = 0; i < 32; i++) {
            codes[i] = code(values[from + i], scale, -bias, bias - 1) + bias;
        }
        nibbles(codes, bias == 16, out);
    }

    private static void ranged(float[] values, int from, int highest, ByteBuffer out) {
        float low = values[from];
        float high = values[from];
        for (int i = from; i < from + 32; i++) {
            low = Math.min(low, values[i]);
            high = Math.max(high, values[i]);
        }
        float scale = half((high - low) / highest);
        float offset = half(low);
        putHalf(out, scale);
        putHalf(out, offset);
        int[] codes = new int[32];
        for (int i = 0; i < 32; i++) {
            codes[i] = code(values[from + i] - offset, scale, 0, highest);
        }
        nibbles(codes, highest == 31, out);
    }

    private static void uneven(float[] values, int from, ByteBuffer out) {
        float scale = half(largest(values, from, 32) / 113);
        putHalf(out, scale);
        int[] codes = new int[32];
        for (int i = 0; i < 32; i++) {
            for (int code = 1; code < 16; code++) {
                float wanted = scale == 0 ? 0 : values[from + i] / scale;
                if (Math.abs(LEVELS[code] - wanted) < Math.abs(LEVELS[codes[i]] - wanted)) {
                    codes[i] = code;
                }
            }
        }
        nibbles(codes, false, out);
    }

    private static void nibbles(int[] codes, boolean five, ByteBuffer out) {
        if (five) {
            int fifths = 0;
            for (int i = 0; i < 32; i++) {
                fifths |= (codes[i] >> 4) << i;
            }
            out.putInt(fifths);
        }
        for (int i = 0; i < 16; i++) {
            out.put((byte) ((codes[i] & 15) | (codes[i + 16] & 15) << 4));
        }
    }

    private static void nested(float[] values, int from, int highest, ByteBuffer out) {
        float[] steps = new float[8];
        float[] depths = new float[8]; // how far below zero a group goes
        for (int group = 0; group < 8; group++) {
            float low = 0;
            float high = -Float.MAX_VALUE;
            for (int i = from + group * 32; i < from + group * 32 + 32; i++) {
                low = Math.min(low, values[i]);
                high = Math.max(high, values[i]);
            }
            steps[group] = (Math.max(high, 0) - low) / highest;
            depths[group] = -low;
        }
        float d = half(largest(steps, 0, 8) / 63);
        float dmin = half(largest(depths, 0, 8) / 63);
        putHalf(out, d);
        putHalf(out, dmin);
        int[] scales = new int[8];
        int[] minima = new int[8];
        int[] codes = new int[256];
        for (int group = 0; group < 8; group++) {
            scales[group] = code(steps[group], d, 0, 63);
            minima[group] = code(depths[group], dmin, 0, 63);
            for (int i = group * 32; i < group * 32 + 32; i++) {
                codes[i] = code(values[from + i] + dmin * minima[group], d * scales[group], 0, highest);
            }
        }
        byte[] packed = new byte[12];
        for (int group = 0; group < 4; group++) {
            packed[group] = (byte) (scales[group] | scales[group + 4] >> 4 << 6);
            packed[group + 4] = (byte) (minima[group] | minima[group + 4] >> 4 << 6);
            packed[group + 8] = (byte) ((scales[group + 4] & 15) | (minima[group + 4] & 15) << 4);
        }
        out.put(packed);
        if (highest == 31) {
            for (int i = 0; i < 32; i++) {
                int fifths = 0;
                for (int group = 0; group < 8; group++) {
                    fifths |= (codes[group * 32 + i] >> 4) << group;
                }
                out.put((byte) fifths);
            }
        }
        for (int pair = 0; pair < 4; pair++) {
            for (int i = pair * 64; i < pair * 64 + 32; i++) {
                out.put((byte) ((codes[i] & 15) | (codes[i + 32] & 15) << 4));
            }
        }
    }

    private static void sixBits(float[] values, int from, ByteBuffer out) {
        float[] steps = new float[16];
        for (int run = 0; run < 16; run++) {
            steps[run] = largest(values, from + run * 16, 16) / 31;
        }
        float d = half(largest(steps, 0, 16) / 127);
        byte[] scales = new byte[16];
        int[] codes = new int[256];
        for (int i = 0; i < 256; i++) {
            scales[i / 16] = (byte) code(steps[i / 16], d, 0, 127);
            codes[i] = code(values[from + i], d * scales[i / 16], -32, 31) + 32;
        }
        for (int i = 0; i < 128; i++) {
            int low = i / 64 * 128 + i % 64;
            out.put((byte) ((codes[low] & 15) | (codes[low + 64] & 15) << 4));
        }
        for (int i = 0; i < 64; i++) {
            int first = i / 32 * 128 + i % 32;
            int high = 0;
            for (int quarter = 0; quarter < 4; quarter++) {
                high |= (codes[first + quarter * 32] >> 4) << (2 * quarter);
            }
            out.put((byte) high);
        }
        out.put(scales);
        putHalf(out, d);
    }
}

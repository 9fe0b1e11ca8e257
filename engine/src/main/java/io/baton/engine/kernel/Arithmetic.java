package io.baton.engine.kernel;

/**
 * The elementary functions of {@link Kernels}, each one fixed sequence of IEEE operations. Every provider repeats these
 * sequences, so that not one bit depends on who computes.
 */
public final class Arithmetic {

    /** Lanes of a row reduction. */
    static final int LANES = 16;

    /** Magnitudes below this become +0 in bf16: no product or sum of products can then be denormal. */
    static final float BF16_FLUSH = 0x1p-55f;

    /** A group whose largest magnitude is below this is all zero in q8: its scale and its inverse stay normal. */
    static final float Q8_FLUSH = 0x1p-110f;

    /** Added and subtracted again, it rounds a small value to the nearest integer, ties to even. */
    static final float ROUNDER = 0x1.8p23f;

    static final float EXP_LOWEST = -87f;
    static final float EXP_HIGHEST = 88f;
    static final float LOG2_E = 0x1.715476p0f;
    static final float LN2_HIGH = 0x1.62e4p-1f; // few bits: n * LN2_HIGH is exact
    static final float LN2_LOW = 0x1.7f7d1cp-20f;

    // e^r on [-ln2/2, ln2/2], after Cephes expf (S. Moshier): 1 + r + r² · polynomial.
    static final float E0 = 1.9875691e-4f;
    static final float E1 = 1.3981999e-3f;
    static final float E2 = 8.333452e-3f;
    static final float E3 = 4.1665796e-2f;
    static final float E4 = 1.6666666e-1f;
    static final float E5 = 0.5f;

    private Arithmetic() {}

    /** e^x to about one unit in the last place for x in [-87, 88]; 0 below, e^88 above, never denormal or infinite. */
    public static float exp(float x) {
        float v = x > EXP_HIGHEST ? EXP_HIGHEST : x;
        float shifted = Math.fma(v, LOG2_E, ROUNDER);
        float n = shifted - ROUNDER;
        float r = Math.fma(n, -LN2_HIGH, v);
        r = Math.fma(n, -LN2_LOW, r);
        float p = Math.fma(E0, r, E1);
        p = Math.fma(p, r, E2);
        p = Math.fma(p, r, E3);
        p = Math.fma(p, r, E4);
        p = Math.fma(p, r, E5);
        float e = Math.fma(p, r * r, r) + 1f;
        float scaled = Float.intBitsToFloat(Float.floatToRawIntBits(e) + (Float.floatToRawIntBits(shifted) << 23));
        return x < EXP_LOWEST ? 0f : scaled;
    }

    /** x / (1 + e^-x). */
    public static float silu(float x) {
        return x / (1f + exp(-x));
    }

    /** The nearest bf16, ties to even; magnitudes below 2^-55 give +0; NaN stays NaN. */
    public static short bf16(float x) {
        int bits = Float.floatToRawIntBits(x);
        if (Math.abs(x) < BF16_FLUSH) {
            return 0;
        }
        if (Float.isNaN(x)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
    }

    public static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** {@code x} rounded to bf16. */
    static float roundedToBf16(float x) {
        return fromBf16(bf16(x));
    }

    /** The scale of a group whose largest magnitude is {@code largest}. */
    static float q8Scale(float largest) {
        return largest < Q8_FLUSH ? 0f : largest / 127f;
    }

    /** What values are multiplied by before they are rounded to int8. */
    static float q8Inverse(float scale) {
        return scale == 0f ? 0f : 1f / scale;
    }

    /** The nearest integer, ties to even; within ±127 for the group the inverse was made for. */
    static float q8Value(float x, float inverse) {
        return x * inverse + ROUNDER - ROUNDER;
    }

    /** What a query is multiplied by. */
    static float attentionScale(int headDim) {
        return (float) (1 / StrictMath.sqrt(headDim));
    }

    /** What RMSNorm multiplies a row by. */
    static float inverseRoot(float sumOfSquares, int n, float epsilon) {
        return 1f
                / (float) Math.sqrt(
                        sumOfSquares / n + epsilon); // in double, then rounded: the correctly rounded f32 root
    }

    /** The fixed tree that ends every row reduction: lanes 8 apart, then 4, 2, 1. */
    static float tree(float[] lanes) {
        for (int apart = LANES / 2; apart > 0; apart /= 2) {
            for (int i = 0; i < apart; i++) {
                lanes[i] += lanes[i + apart];
            }
        }
        return lanes[0];
    }
}

/* The elementary functions of io.baton.engine.kernel.Arithmetic: the same operations in the same order. */
#pragma once

#include "lanes.h"

#define ROUNDER 0x1.8p23f
#define BF16_FLUSH 0x1p-55f
#define Q8_FLUSH 0x1p-110f

/* Of sixteen small values the sum of the first two of each four, and of the last two. */
struct pair_sums {
    int16_t first, last;
};

/* Reductions of lanes: sums 8 apart, then 4, 2, 1, which is the one tree that ends every row reduction; the largest of
 * lanes and sums of integers are the same in any order. */
#if defined(__AVX2__)
#if defined(__AVX512F__)
INLINE __m256 low_half(f32x16 v) { return _mm512_castps512_ps256(v); }
INLINE __m256 high_half(f32x16 v) { return _mm512_extractf32x8_ps(v, 1); }
INLINE __m256i low_half_i(i32x16 v) { return _mm512_castsi512_si256(v); }
INLINE __m256i high_half_i(i32x16 v) { return _mm512_extracti64x4_epi64(v, 1); }
#else
INLINE __m256 low_half(f32x16 v) { return v.l; }
INLINE __m256 high_half(f32x16 v) { return v.h; }
INLINE __m256i low_half_i(i32x16 v) { return v.l; }
INLINE __m256i high_half_i(i32x16 v) { return v.h; }
#endif
#define F_TWO(v) _mm_movehl_ps(v, v)
#define F_ONE(v) _mm_movehdup_ps(v)
#define I_TWO(v) _mm_shuffle_epi32(v, 0x4e)
#define I_ONE(v) _mm_shuffle_epi32(v, 0xb1)

INLINE float tree(f32x16 lanes) {
    __m256 eight = _mm256_add_ps(low_half(lanes), high_half(lanes));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, F_TWO(four));
    return _mm_cvtss_f32(_mm_add_ss(four, F_ONE(four)));
}

INLINE int32_t largest_i32(i32x16 lanes) {
    __m256i eight = _mm256_max_epi32(low_half_i(lanes), high_half_i(lanes));
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_max_epi32(four, I_TWO(four));
    return _mm_cvtsi128_si32(_mm_max_epi32(four, I_ONE(four)));
}

/* The highest lane; NaN lanes may be passed over. */
INLINE float highest(f32x16 lanes) {
    __m256 eight = _mm256_max_ps(low_half(lanes), high_half(lanes));
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_max_ps(four, F_TWO(four));
    return _mm_cvtss_f32(_mm_max_ss(four, F_ONE(four)));
}

INLINE int32_t sum_i32(i32x16 lanes) {
    __m256i eight = _mm256_add_epi32(low_half_i(lanes), high_half_i(lanes));
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    four = _mm_add_epi32(four, I_TWO(four));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, I_ONE(four)));
}

INLINE struct pair_sums sum_pairs(const int8_t *values) {
    __m128i pairs = _mm_maddubs_epi16(_mm_set1_epi8(1), _mm_loadu_si128((const __m128i *)values));
    pairs = _mm_add_epi16(pairs, I_TWO(pairs));
    pairs = _mm_add_epi16(pairs, I_ONE(pairs));
    return (struct pair_sums){(int16_t)_mm_extract_epi16(pairs, 0), (int16_t)_mm_extract_epi16(pairs, 1)};
}
#else
INLINE float tree(f32x16 lanes) {
    float l[LANES];
    f_store(l, lanes);
    for (int apart = LANES / 2; apart > 0; apart /= 2)
        for (int i = 0; i < apart; i++) l[i] += l[i + apart];
    return l[0];
}

INLINE int32_t largest_i32(i32x16 lanes) {
    int32_t l[LANES];
    i_store(l, lanes);
    int32_t m = l[0];
    for (int i = 1; i < LANES; i++) m = l[i] > m ? l[i] : m;
    return m;
}

/* The highest lane; NaN lanes may be passed over. */
INLINE float highest(f32x16 lanes) {
    float l[LANES];
    f_store(l, lanes);
    float m = l[0];
    for (int i = 1; i < LANES; i++) m = l[i] > m ? l[i] : m;
    return m;
}

INLINE int32_t sum_i32(i32x16 lanes) {
    int32_t l[LANES], s = 0;
    i_store(l, lanes);
    for (int i = 0; i < LANES; i++) s += l[i];
    return s;
}

INLINE struct pair_sums sum_pairs(const int8_t *values) {
    int sums[2] = {0, 0};
    for (int i = 0; i < LANES; i++) sums[i >> 1 & 1] += values[i];
    return (struct pair_sums){(int16_t)sums[0], (int16_t)sums[1]};
}
#endif

/* The largest of lanes that are not negative, as integers, whose order is the same but for NaN, which is above all. */
INLINE float largest(i32x16 lanes) {
    int32_t m = largest_i32(lanes);
    float value;
    memcpy(&value, &m, sizeof value);
    return value;
}

INLINE i32x16 i_max(i32x16 a, i32x16 b) { return i_select_gt(a, b, a, b); }

INLINE f32x16 f_exp(f32x16 x) {
    const f32x16 rounder = f_set(ROUNDER);
    f32x16 v = f_min(f_set(88.0f), x); /* this way round NaN stays NaN */
    f32x16 shifted = f_fma(v, f_set(0x1.715476p0f), rounder);
    f32x16 n = f_sub(shifted, rounder);
    f32x16 r = f_fma(n, f_set(-0x1.62e4p-1f), v);
    r = f_fma(n, f_set(-0x1.7f7d1cp-20f), r);
    f32x16 p = f_fma(f_set(1.9875691500e-4f), r, f_set(1.3981999507e-3f));
    p = f_fma(p, r, f_set(8.3334519073e-3f));
    p = f_fma(p, r, f_set(4.1665795894e-2f));
    p = f_fma(p, r, f_set(1.6666665459e-1f));
    p = f_fma(p, r, f_set(5.0000001201e-1f));
    f32x16 e = f_add(f_fma(p, f_mul(r, r), r), f_set(1));
    f32x16 scaled = i_as_f32(i_add(f_bits(e), i_shl(f_bits(shifted), 23)));
    return f_zero_below(x, f_set(-87.0f), scaled);
}

/* The nearest bf16, ties to even; magnitudes below 2^-55 give +0; NaN stays NaN. */
INLINE f32x16 rounded_to_bf16(f32x16 x) {
    i32x16 bits = f_bits(x), magnitude = f_bits(f_abs(x));
    i32x16 odd = i_and(i_shr(bits, 16), i_set(1));
    i32x16 rounded = i_and(i_add(i_add(bits, i_set(0x7fff)), odd), i_set((int32_t)0xffff0000));
    rounded = i_select_gt(magnitude, i_set(0x7f800000), i_set(0x7fc00000), rounded);
    return f_zero_below(i_as_f32(magnitude), f_set(BF16_FLUSH), i_as_f32(rounded));
}

INLINE float q8_scale(float largest) { return largest < Q8_FLUSH ? 0.0f : largest / 127.0f; }
INLINE float q8_inverse(float scale) { return scale == 0.0f ? 0.0f : 1.0f / scale; }
INLINE i32x16 q8_values(f32x16 x, f32x16 inverse) { return f_to_i32(f_mul(x, inverse)); }

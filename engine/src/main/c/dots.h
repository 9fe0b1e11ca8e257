/* The inner step of products and attention for each type, and how many rows and panels a tile holds in registers. */
#pragma once

#include "arithmetic.h"

#if defined(__AVX512F__)
#define ROWS 6          /* rows of x per tile */
#define PANELS 4        /* panels per f32 and bf16 tile: 24 accumulators of 32 registers */
#define Q8_PANELS 2     /* int and float accumulators: 2 x 6 x 2 */
#if defined(__AVX512VNNI__)
#define Q8_ROWS ROWS
#else
#define Q8_ROWS 4       /* a product takes several registers more */
#endif
#else
#define ROWS 6
#define PANELS 1
#define Q8_ROWS ROWS
#define Q8_PANELS 1
#endif

/* Calls TILE(rows) with its argument as a constant, so that each tile is compiled with its accumulators in registers. */
#define BY_ROWS(rows, TILE)                                                                                            \
    switch (rows) {                                                                                                    \
        case 1: TILE(1); break;                                                                                        \
        case 2: TILE(2); break;                                                                                        \
        case 3: TILE(3); break;                                                                                        \
        case 4: TILE(4); break;                                                                                        \
        case 5: TILE(5); break;                                                                                        \
        default: TILE(6); break;                                                                                       \
    }

INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

/*
 * Weights come from memory, and a small batch is multiplied faster than they arrive. So they are asked for early, and into
 * the second-level cache, which gains far more than into the first. Several rows pass over the same panels tile by tile; each
 * tile asks for its share of the panels after them, so that memory is as busy under the last tile as under the first. A
 * single row reads one stream, which the processor sees coming until its page ends: a quantised row asks for a line per
 * block of what lies a page ahead. Asking for every line itself was slower in most formats and faster in none.
 */
#define PAGE_BYTES 4096
#define ASK(address) __builtin_prefetch(address, 0, 2)

#define L2_BYTES (512 * 1024) /* what a block of x may take of it */

/* Rows of x whose block of row_bytes each stays in L2 while all panels pass over it; whole tiles. */
INLINE size_t row_block(size_t row_bytes) {
    size_t rows = L2_BYTES / row_bytes / ROWS * ROWS;
    return rows < 4 * ROWS ? 4 * ROWS : rows;
}

/* ---- bf16: per pair, FMA of the odd element, then of the even one ------------------------------------------------- */

#if defined(__AVX512BF16__) && !defined(BF16_BY_FMA)
#define BF16_WIDENED 0
typedef uint16_t bf_row; /* an element of a rounded row */
#else
/* Widening is exact, and conversion to bf16 leaves nothing so small that a product could be denormal: IEEE FMA gives what
 * vdpbf16ps gives. On cores that run vdpbf16ps at half the rate of FMA or less, this is also the faster way. Rows are
 * widened when they are rounded: in a tile that costs more than it saves to read. */
#define BF16_WIDENED 1
typedef float bf_row;
#endif

/* Rounds sixteen values to elements of a rounded row, as rounded_to_bf16 does. */
INLINE void bf_store(bf_row *to, f32x16 v) {
#if BF16_WIDENED
    f_store(to, rounded_to_bf16(v));
#else /* the instruction alone would keep what is small */
    __mmask16 large = _mm512_cmp_ps_mask(f_abs(v), f_set(BF16_FLUSH), _CMP_NLT_UQ);
    _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_maskz_cvtneps_pbh(large, v));
#endif
}

/* A pair of each of n rows of x with a pair of each of some panels, stride bytes apart; acc is [n][lda]. */
INLINE void bf_pair(const int panels, const int n, const void *w, size_t stride, const bf_row *x, size_t ldx, f32x16 *acc,
                    const int lda) {
#if BF16_WIDENED
    UNROLL for (int half = 1; half >= 0; half--) { /* all rows' odd elements, then all rows' even ones: fewer registers */
        f32x16 row[4];
        UNROLL for (int p = 0; p < panels; p++) {
            i32x16 v = i_load((const uint8_t *)w + p * stride);
            row[p] = i_as_f32(half ? i_and(v, i_set((int32_t)0xffff0000)) : i_shl(v, 16));
        }
        UNROLL for (int r = 0; r < n; r++) {
            f32x16 v = f_set(x[r * ldx + half]);
            UNROLL for (int p = 0; p < panels; p++) acc[r * lda + p] = f_fma(row[p], v, acc[r * lda + p]);
        }
        UNROLL for (int r = 0; r < n; r++)
            UNROLL for (int p = 0; p < panels; p++) f_hold(acc + r * lda + p);
    }
#else
    __m512bh row[4];
    UNROLL for (int p = 0; p < panels; p++) row[p] = (__m512bh)_mm512_loadu_si512((const uint8_t *)w + p * stride);
    UNROLL for (int r = 0; r < n; r++) {
        __m512bh v = (__m512bh)_mm512_set1_epi32(load_word(x + r * ldx));
        UNROLL for (int p = 0; p < panels; p++) acc[r * lda + p] = _mm512_dpbf16_ps(acc[r * lda + p], row[p], v);
    }
#endif
}

/* ---- int8: exact integer sums ---------------------------------------------------------------------------------------- */

#define Q8_GROUP 32                       /* values per scale */
#define Q8_SPAN 64                        /* k per stored span: two groups */
#define Q8_SPAN_BYTES (2 * LANES * 2 + LANES * Q8_SPAN)

#if defined(__AVX512VNNI__)
/* vpdpbusd wants one unsigned operand: weights are offset by 128, and the sum starts at -128 times the sum of x. */
#define Q8_OFFSET 128
INLINE i32x16 q8_weights(i32x16 w) { return _mm512_xor_si512(w, _mm512_set1_epi8((char)0x80)); }
INLINE i32x16 q8_dot(i32x16 acc, i32x16 w, i32x16 x) { return _mm512_dpbusd_epi32(acc, w, x); }
#elif defined(__AVX512BW__)
#define Q8_OFFSET 0
INLINE i32x16 q8_weights(i32x16 w) { return w; }
INLINE i32x16 q8_dot(i32x16 acc, i32x16 w, i32x16 x) { /* |w| <= 128, |x| <= 127: no 16-bit pair saturates */
    __m512i signed_x = _mm512_mask_sub_epi8(x, _mm512_movepi8_mask(w), _mm512_setzero_si512(), x);
    __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(w), signed_x);
    return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}
#elif defined(__AVX2__)
#define Q8_OFFSET 0
INLINE i32x16 q8_weights(i32x16 w) { return w; }
INLINE __m256i q8_dot256(__m256i acc, __m256i w, __m256i x) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    __m256i sum = _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    __asm__("" : "+x"(sum)); /* here: GCC would keep every product in memory and add them all in the end */
    return sum;
}
INLINE i32x16 q8_dot(i32x16 acc, i32x16 w, i32x16 x) {
    return (i32x16){q8_dot256(acc.l, w.l, x.l), q8_dot256(acc.h, w.h, x.h)};
}
#else
#define Q8_OFFSET 0
INLINE i32x16 q8_weights(i32x16 w) { return w; }
INLINE i32x16 q8_dot(i32x16 acc, i32x16 w, i32x16 x) {
#if defined(__ARM_FEATURE_DOTPROD)
    I4(vdotq_s32(acc.v[i], vreinterpretq_s8_s32(w.v[i]), vreinterpretq_s8_s32(x.v[i])));
#else
    i32x16 r;
    EACH {
        int8x16_t a = vreinterpretq_s8_s32(w.v[i]), b = vreinterpretq_s8_s32(x.v[i]);
        int16x8_t lo = vmull_s8(vget_low_s8(a), vget_low_s8(b)), hi = vmull_s8(vget_high_s8(a), vget_high_s8(b));
        r.v[i] = vaddq_s32(acc.v[i], vpaddq_s32(vpaddlq_s16(lo), vpaddlq_s16(hi)));
    }
    return r;
#endif
}
#endif

/* Weights as q8_dot wants them. */
INLINE i32x16 q8_load(const int8_t *p) { return q8_weights(i_load(p)); }

/* Codes of at most six bits times x. Without an instruction that sums four products, neighbours are summed in 16 bits, which
 * may wrap; then they lose bias times the sums of their x, come to be in range, and are widened. */
#if defined(__AVX512VNNI__) || !defined(__AVX2__)
#define CODE_PAIRS 0
INLINE i32x16 code_dot(i32x16 acc, i32x16 codes, i32x16 x) { return q8_dot(acc, codes, x); }
INLINE i32x16 code_sum(i32x16 acc, i32x16 pair_sums, const int bias) { return (void)pair_sums, (void)bias, acc; }
#elif defined(__AVX512BW__)
#define CODE_PAIRS 1
INLINE i32x16 code_dot(i32x16 acc, i32x16 codes, i32x16 x) {
    return _mm512_add_epi16(acc, _mm512_maddubs_epi16(codes, x));
}
INLINE i32x16 code_sum(i32x16 acc, i32x16 pair_sums, const int bias) {
    if (bias) acc = _mm512_sub_epi16(acc, _mm512_mullo_epi16(pair_sums, _mm512_set1_epi16((short)bias)));
    return _mm512_madd_epi16(acc, _mm512_set1_epi16(1));
}
#else
#define CODE_PAIRS 1
INLINE i32x16 code_dot(i32x16 acc, i32x16 codes, i32x16 x) {
    i32x16 sum = {_mm256_add_epi16(acc.l, _mm256_maddubs_epi16(codes.l, x.l)),
                  _mm256_add_epi16(acc.h, _mm256_maddubs_epi16(codes.h, x.h))};
    __asm__("" : "+x"(sum.l), "+x"(sum.h)); /* as in q8_dot256 */
    return sum;
}
INLINE i32x16 code_sum(i32x16 acc, i32x16 pair_sums, const int bias) {
    if (bias) {
        __m256i lost = _mm256_mullo_epi16(pair_sums.l, _mm256_set1_epi16((short)bias)); /* the same in all lanes */
        acc = (i32x16){_mm256_sub_epi16(acc.l, lost), _mm256_sub_epi16(acc.h, lost)};
    }
    const __m256i one = _mm256_set1_epi16(1);
    return (i32x16){_mm256_madd_epi16(acc.l, one), _mm256_madd_epi16(acc.h, one)};
}
#endif

/*
 * Sixteen lanes of f32 or i32, whatever the machine's registers: one zmm, two ymm, or four NEON quads. Kernels are written
 * once over these; each operation is exactly one IEEE operation per lane, so every instruction set gives the same bits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LANES 16

/* Each source is compiled once per instruction set; BATON_ISA names it in every exported symbol. */
#define BATON_JOIN(isa, name) baton_##isa##_##name
#define BATON_EXPAND(isa, name) BATON_JOIN(isa, name)
#define EXPORT(name) BATON_EXPAND(BATON_ISA, name)

#define INLINE static inline __attribute__((always_inline))
/* For loops whose arrays have to be in registers. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

INLINE int32_t load_word(const void *p) {
    int32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* f_hold: here a is in registers, and what is computed from it later stays later. Left to itself GCC moves the steps of an
 * unrolled loop through each other until the registers are too few. */

#if defined(__AVX512F__)

#include <immintrin.h>

typedef __m512 f32x16;
typedef __m512i i32x16;

INLINE f32x16 f_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void f_store(float *p, f32x16 v) { _mm512_storeu_ps(p, v); }
INLINE f32x16 f_set(float x) { return _mm512_set1_ps(x); }
INLINE f32x16 f_fma(f32x16 a, f32x16 b, f32x16 c) { return _mm512_fmadd_ps(a, b, c); }
INLINE f32x16 f_mul(f32x16 a, f32x16 b) { return _mm512_mul_ps(a, b); }
INLINE f32x16 f_add(f32x16 a, f32x16 b) { return _mm512_add_ps(a, b); }
INLINE f32x16 f_sub(f32x16 a, f32x16 b) { return _mm512_sub_ps(a, b); }
INLINE f32x16 f_div(f32x16 a, f32x16 b) { return _mm512_div_ps(a, b); }
INLINE f32x16 f_max(f32x16 a, f32x16 b) { return _mm512_max_ps(a, b); }
INLINE f32x16 f_min(f32x16 a, f32x16 b) { return _mm512_min_ps(a, b); }
INLINE f32x16 f_abs(f32x16 a) { return _mm512_abs_ps(a); }
INLINE void f_hold(f32x16 *a) { __asm__ volatile("" : "+v"(*a)); }
INLINE i32x16 f_bits(f32x16 a) { return _mm512_castps_si512(a); }
INLINE f32x16 i_as_f32(i32x16 a) { return _mm512_castsi512_ps(a); }
INLINE f32x16 i_to_f32(i32x16 a) { return _mm512_cvtepi32_ps(a); }
INLINE i32x16 f_to_i32(f32x16 a) { return _mm512_cvtps_epi32(a); }
INLINE i32x16 i_load(const void *p) { return _mm512_loadu_si512(p); }
INLINE void i_store(void *p, i32x16 v) { _mm512_storeu_si512(p, v); }
INLINE i32x16 i_set(int32_t x) { return _mm512_set1_epi32(x); }
INLINE i32x16 i_add(i32x16 a, i32x16 b) { return _mm512_add_epi32(a, b); }
INLINE i32x16 i_sub(i32x16 a, i32x16 b) { return _mm512_sub_epi32(a, b); }
INLINE i32x16 i_and(i32x16 a, i32x16 b) { return _mm512_and_si512(a, b); }
INLINE i32x16 i_or(i32x16 a, i32x16 b) { return _mm512_or_si512(a, b); }
INLINE i32x16 i_xor(i32x16 a, i32x16 b) { return _mm512_xor_si512(a, b); }
INLINE i32x16 i_shl(i32x16 a, int n) { return _mm512_slli_epi32(a, (unsigned)n); }
INLINE i32x16 i_shr(i32x16 a, int n) { return _mm512_srli_epi32(a, (unsigned)n); }
INLINE i32x16 i_sar(i32x16 a, int n) { return _mm512_srai_epi32(a, (unsigned)n); }
/* a > b ? x : y, per lane of signed integers */
INLINE i32x16 i_select_gt(i32x16 a, i32x16 b, i32x16 x, i32x16 y) {
    return _mm512_mask_blend_epi32(_mm512_cmpgt_epi32_mask(a, b), y, x);
}
/* v where x >= limit, else +0 */
INLINE f32x16 f_zero_below(f32x16 x, f32x16 limit, f32x16 v) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_NLT_UQ), v);
}
INLINE f32x16 f_from_half(const void *p) { return _mm512_cvtph_ps(_mm256_loadu_si256(p)); }
INLINE void i_store_low8(void *p, i32x16 v) { _mm_storeu_si128(p, _mm512_cvtepi32_epi8(v)); }
INLINE i32x16 i_from_s8(const void *p) { return _mm512_cvtepi8_epi32(_mm_loadu_si128(p)); }
/* For each byte, all below 16, that byte of the table. */
INLINE i32x16 i_lookup(const int8_t *table, i32x16 bytes) {
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const void *)table)), bytes);
}

#elif defined(__AVX2__)

#include <immintrin.h>

typedef struct { __m256 l, h; } f32x16;
typedef struct { __m256i l, h; } i32x16;

#define F2(op, a, b) (f32x16){op((a).l, (b).l), op((a).h, (b).h)}
#define I2(op, a, b) (i32x16){op((a).l, (b).l), op((a).h, (b).h)}
INLINE f32x16 f_load(const float *p) { return (f32x16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INLINE void f_store(float *p, f32x16 v) { _mm256_storeu_ps(p, v.l), _mm256_storeu_ps(p + 8, v.h); }
INLINE f32x16 f_set(float x) { __m256 v = _mm256_set1_ps(x); return (f32x16){v, v}; }
INLINE f32x16 f_fma(f32x16 a, f32x16 b, f32x16 c) {
    return (f32x16){_mm256_fmadd_ps(a.l, b.l, c.l), _mm256_fmadd_ps(a.h, b.h, c.h)};
}
INLINE f32x16 f_mul(f32x16 a, f32x16 b) { return F2(_mm256_mul_ps, a, b); }
INLINE f32x16 f_add(f32x16 a, f32x16 b) { return F2(_mm256_add_ps, a, b); }
INLINE f32x16 f_sub(f32x16 a, f32x16 b) { return F2(_mm256_sub_ps, a, b); }
INLINE f32x16 f_div(f32x16 a, f32x16 b) { return F2(_mm256_div_ps, a, b); }
INLINE f32x16 f_max(f32x16 a, f32x16 b) { return F2(_mm256_max_ps, a, b); }
INLINE f32x16 f_min(f32x16 a, f32x16 b) { return F2(_mm256_min_ps, a, b); }
INLINE void f_hold(f32x16 *a) { __asm__ volatile("" : "+x"(a->l), "+x"(a->h)); }
INLINE i32x16 f_bits(f32x16 a) { return (i32x16){_mm256_castps_si256(a.l), _mm256_castps_si256(a.h)}; }
INLINE f32x16 i_as_f32(i32x16 a) { return (f32x16){_mm256_castsi256_ps(a.l), _mm256_castsi256_ps(a.h)}; }
INLINE f32x16 i_to_f32(i32x16 a) { return (f32x16){_mm256_cvtepi32_ps(a.l), _mm256_cvtepi32_ps(a.h)}; }
INLINE i32x16 f_to_i32(f32x16 a) { return (i32x16){_mm256_cvtps_epi32(a.l), _mm256_cvtps_epi32(a.h)}; }
INLINE i32x16 i_load(const void *p) {
    return (i32x16){_mm256_loadu_si256(p), _mm256_loadu_si256((const __m256i *)p + 1)};
}
INLINE void i_store(void *p, i32x16 v) { _mm256_storeu_si256(p, v.l), _mm256_storeu_si256((__m256i *)p + 1, v.h); }
INLINE i32x16 i_set(int32_t x) { __m256i v = _mm256_set1_epi32(x); return (i32x16){v, v}; }
INLINE i32x16 i_add(i32x16 a, i32x16 b) { return I2(_mm256_add_epi32, a, b); }
INLINE i32x16 i_sub(i32x16 a, i32x16 b) { return I2(_mm256_sub_epi32, a, b); }
INLINE i32x16 i_and(i32x16 a, i32x16 b) { return I2(_mm256_and_si256, a, b); }
INLINE i32x16 i_or(i32x16 a, i32x16 b) { return I2(_mm256_or_si256, a, b); }
INLINE i32x16 i_xor(i32x16 a, i32x16 b) { return I2(_mm256_xor_si256, a, b); }
INLINE i32x16 i_shl(i32x16 a, int n) { return (i32x16){_mm256_slli_epi32(a.l, n), _mm256_slli_epi32(a.h, n)}; }
INLINE i32x16 i_shr(i32x16 a, int n) { return (i32x16){_mm256_srli_epi32(a.l, n), _mm256_srli_epi32(a.h, n)}; }
INLINE i32x16 i_sar(i32x16 a, int n) { return (i32x16){_mm256_srai_epi32(a.l, n), _mm256_srai_epi32(a.h, n)}; }
INLINE i32x16 i_select_gt(i32x16 a, i32x16 b, i32x16 x, i32x16 y) {
    return (i32x16){_mm256_blendv_epi8(y.l, x.l, _mm256_cmpgt_epi32(a.l, b.l)),
                    _mm256_blendv_epi8(y.h, x.h, _mm256_cmpgt_epi32(a.h, b.h))};
}
INLINE f32x16 f_abs(f32x16 a) { return i_as_f32(i_and(f_bits(a), i_set(0x7fffffff))); }
INLINE f32x16 f_zero_below(f32x16 x, f32x16 limit, f32x16 v) {
    return (f32x16){_mm256_and_ps(_mm256_cmp_ps(x.l, limit.l, _CMP_NLT_UQ), v.l),
                    _mm256_and_ps(_mm256_cmp_ps(x.h, limit.h, _CMP_NLT_UQ), v.h)};
}
INLINE f32x16 f_from_half(const void *p) {
    return (f32x16){_mm256_cvtph_ps(_mm_loadu_si128(p)), _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p + 1))};
}
INLINE void i_store_low8(void *p, i32x16 v) { /* saturation never reached by the callers */
    __m256i w = _mm256_permute4x64_epi64(_mm256_packs_epi32(v.l, v.h), 0xd8);
    _mm_storeu_si128(p, _mm_packs_epi16(_mm256_castsi256_si128(w), _mm256_extracti128_si256(w, 1)));
}
INLINE i32x16 i_from_s8(const void *p) {
    __m128i b = _mm_loadu_si128(p);
    return (i32x16){_mm256_cvtepi8_epi32(b), _mm256_cvtepi8_epi32(_mm_srli_si128(b, 8))};
}
INLINE i32x16 i_lookup(const int8_t *table, i32x16 bytes) {
    __m256i t = _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
    return (i32x16){_mm256_shuffle_epi8(t, bytes.l), _mm256_shuffle_epi8(t, bytes.h)};
}

#elif defined(__ARM_NEON) && defined(__aarch64__)

#include <arm_neon.h>

typedef struct { float32x4_t v[4]; } f32x16;
typedef struct { int32x4_t v[4]; } i32x16;

#define EACH UNROLL for (int i = 0; i < 4; i++)
#define F4(expression) f32x16 r; EACH { r.v[i] = (expression); } return r
#define I4(expression) i32x16 r; EACH { r.v[i] = (expression); } return r
INLINE f32x16 f_load(const float *p) { F4(vld1q_f32(p + 4 * i)); }
INLINE void f_store(float *p, f32x16 a) { EACH { vst1q_f32(p + 4 * i, a.v[i]); } }
INLINE f32x16 f_set(float x) { F4(vdupq_n_f32(x)); }
INLINE f32x16 f_fma(f32x16 a, f32x16 b, f32x16 c) { F4(vfmaq_f32(c.v[i], a.v[i], b.v[i])); }
INLINE f32x16 f_mul(f32x16 a, f32x16 b) { F4(vmulq_f32(a.v[i], b.v[i])); }
INLINE f32x16 f_add(f32x16 a, f32x16 b) { F4(vaddq_f32(a.v[i], b.v[i])); }
INLINE f32x16 f_sub(f32x16 a, f32x16 b) { F4(vsubq_f32(a.v[i], b.v[i])); }
INLINE f32x16 f_div(f32x16 a, f32x16 b) { F4(vdivq_f32(a.v[i], b.v[i])); }
INLINE f32x16 f_max(f32x16 a, f32x16 b) { F4(vmaxq_f32(a.v[i], b.v[i])); }
INLINE f32x16 f_min(f32x16 a, f32x16 b) { F4(vminq_f32(a.v[i], b.v[i])); }
INLINE f32x16 f_abs(f32x16 a) { F4(vabsq_f32(a.v[i])); }
INLINE void f_hold(f32x16 *a) { EACH { __asm__ volatile("" : "+w"(a->v[i])); } }
INLINE i32x16 f_bits(f32x16 a) { I4(vreinterpretq_s32_f32(a.v[i])); }
INLINE f32x16 i_as_f32(i32x16 a) { F4(vreinterpretq_f32_s32(a.v[i])); }
INLINE f32x16 i_to_f32(i32x16 a) { F4(vcvtq_f32_s32(a.v[i])); }
INLINE i32x16 f_to_i32(f32x16 a) { I4(vcvtnq_s32_f32(a.v[i])); }
INLINE i32x16 i_load(const void *p) { I4(vld1q_s32((const int32_t *)p + 4 * i)); }
INLINE void i_store(void *p, i32x16 a) { EACH { vst1q_s32((int32_t *)p + 4 * i, a.v[i]); } }
INLINE i32x16 i_set(int32_t x) { I4(vdupq_n_s32(x)); }
INLINE i32x16 i_add(i32x16 a, i32x16 b) { I4(vaddq_s32(a.v[i], b.v[i])); }
INLINE i32x16 i_sub(i32x16 a, i32x16 b) { I4(vsubq_s32(a.v[i], b.v[i])); }
INLINE i32x16 i_and(i32x16 a, i32x16 b) { I4(vandq_s32(a.v[i], b.v[i])); }
INLINE i32x16 i_or(i32x16 a, i32x16 b) { I4(vorrq_s32(a.v[i], b.v[i])); }
INLINE i32x16 i_xor(i32x16 a, i32x16 b) { I4(veorq_s32(a.v[i], b.v[i])); }
INLINE i32x16 i_shl(i32x16 a, int n) { I4(vshlq_s32(a.v[i], vdupq_n_s32(n))); }
INLINE i32x16 i_sar(i32x16 a, int n) { I4(vshlq_s32(a.v[i], vdupq_n_s32(-n))); }
INLINE i32x16 i_shr(i32x16 a, int n) {
    I4(vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.v[i]), vdupq_n_s32(-n))));
}
INLINE i32x16 i_select_gt(i32x16 a, i32x16 b, i32x16 x, i32x16 y) {
    I4(vbslq_s32(vcgtq_s32(a.v[i], b.v[i]), x.v[i], y.v[i]));
}
INLINE f32x16 f_zero_below(f32x16 x, f32x16 limit, f32x16 v) {
    F4(vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(v.v[i]), vcltq_f32(x.v[i], limit.v[i]))));
}
INLINE f32x16 f_from_half(const void *p) { F4(vcvt_f32_f16(vld1_f16((const float16_t *)p + 4 * i))); }
INLINE void i_store_low8(void *p, i32x16 a) {
    int16x8_t l = vcombine_s16(vmovn_s32(a.v[0]), vmovn_s32(a.v[1]));
    int16x8_t h = vcombine_s16(vmovn_s32(a.v[2]), vmovn_s32(a.v[3]));
    vst1q_s8(p, vcombine_s8(vmovn_s16(l), vmovn_s16(h)));
}
INLINE i32x16 i_from_s8(const void *p) {
    int8x16_t b = vld1q_s8(p);
    int16x8_t l = vmovl_s8(vget_low_s8(b)), h = vmovl_s8(vget_high_s8(b));
    return (i32x16){{vmovl_s16(vget_low_s16(l)), vmovl_s16(vget_high_s16(l)),
                     vmovl_s16(vget_low_s16(h)), vmovl_s16(vget_high_s16(h))}};
}
INLINE i32x16 i_lookup(const int8_t *table, i32x16 bytes) {
    I4(vreinterpretq_s32_s8(vqtbl1q_s8(vld1q_s8(table), vreinterpretq_u8_s32(bytes.v[i]))));
}

#else
#error "no lanes for this instruction set"
#endif

INLINE f32x16 f_neg(f32x16 a) { return i_as_f32(i_xor(f_bits(a), i_set((int32_t)0x80000000))); }

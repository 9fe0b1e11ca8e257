/* Work on single rows: rounding of activations, RMSNorm, SiLU gate, rotation. Rows are padded to whole vectors, zeros. */
#include "arithmetic.h"
#include "dots.h"

/* Lanes 8 apart are added, then 4, 2, 1: the one tree that ends every row reduction. */
float EXPORT(sum_of_squares)(const float *x, size_t n) {
    f32x16 lanes = f_set(0);
    for (size_t i = 0; i < n; i += LANES) {
        f32x16 v = f_load(x + i);
        lanes = f_fma(v, v, lanes);
    }
    return tree(lanes);
}

void EXPORT(normalize)(const float *x, const float *weight, size_t n, float sum_of_squares, float epsilon, float *y) {
    f32x16 r = f_set(1.0f / __builtin_sqrtf(sum_of_squares / (float)n + epsilon));
    for (size_t i = 0; i < n; i += LANES) f_store(y + i, f_mul(f_mul(f_load(x + i), r), f_load(weight + i)));
}

void EXPORT(add)(float *x, const float *y, size_t n) {
    for (size_t i = 0; i < n; i += LANES) f_store(x + i, f_add(f_load(x + i), f_load(y + i)));
}

void EXPORT(gate)(float *gate, const float *up, size_t n) {
    const f32x16 one = f_set(1);
    for (size_t i = 0; i < n; i += LANES) {
        f32x16 g = f_load(gate + i);
        f32x16 e = f_exp(f_neg(g));
        f_store(gate + i, f_mul(f_div(g, f_add(one, e)), f_load(up + i)));
    }
}

/* turn: the cosines of all pairs, then the sines. */
void EXPORT(rotate)(float *x, const float *turn, size_t pairs) {
    size_t i = 0;
    for (; i + LANES <= pairs; i += LANES) {
        f32x16 low = f_load(x + i), high = f_load(x + pairs + i);
        f32x16 cos = f_load(turn + i), sin = f_load(turn + pairs + i);
        f_store(x + i, f_fma(low, cos, f_neg(f_mul(high, sin))));
        f_store(x + pairs + i, f_fma(high, cos, f_mul(low, sin)));
    }
    for (; i < pairs; i++) {
        float low = x[i], high = x[pairs + i], cos = turn[i], sin = turn[pairs + i];
        float a = high * sin, b = low * sin;
        x[i] = __builtin_fmaf(low, cos, -a);
        x[pairs + i] = __builtin_fmaf(high, cos, b);
    }
}

/* Bytes of an element of a row that round_bf16 made. */
int64_t EXPORT(bf16_bytes)(void) { return sizeof(bf_row); }

/* n values, padded to a pair with zero. */
void EXPORT(round_bf16)(const float *x, size_t n, bf_row *rounded) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) bf_store(rounded + i, f_load(x + i));
    if (i < n) {
        float tail[LANES] = {0};
        bf_row last[LANES];
        memcpy(tail, x + i, (n - i) * sizeof(float));
        bf_store(last, f_load(tail));
        memcpy(rounded + i, last, ((n - i) + (n & 1)) * sizeof(bf_row));
    }
}

/*
 * groups * 32 values; then a scale per group; a sum; the sum times the scale; then three pair sums per group: of its first
 * half, of its second half and of the whole.
 */
void EXPORT(round_q8)(const float *x, size_t groups, int8_t *rounded) {
    float *scales = (float *)(rounded + groups * 32);
    int32_t *sums = (int32_t *)(scales + groups);
    float *products = (float *)(sums + groups);
    struct pair_sums *pairs = (struct pair_sums *)(products + groups);
    for (size_t g = 0; g < groups; g++) {
        f32x16 a = f_load(x + 32 * g), b = f_load(x + 32 * g + LANES);
        float scale = q8_scale(largest(i_max(f_bits(f_abs(a)), f_bits(f_abs(b)))));
        f32x16 inverse = f_set(q8_inverse(scale));
        i32x16 qa = q8_values(a, inverse), qb = q8_values(b, inverse);
        i_store_low8(rounded + 32 * g, qa);
        i_store_low8(rounded + 32 * g + LANES, qb);
        struct pair_sums first = sum_pairs(rounded + 32 * g), second = sum_pairs(rounded + 32 * g + LANES);
        struct pair_sums whole = {(int16_t)(first.first + second.first), (int16_t)(first.last + second.last)};
        scales[g] = scale;
        sums[g] = whole.first + whole.last;
        products[g] = (float)sums[g] * scale;
        pairs[3 * g] = first;
        pairs[3 * g + 1] = second;
        pairs[3 * g + 2] = whole;
    }
}

/*
 * The q8 product by matrix tiles (Intel AMX): sixteen rows of x times one panel, 32 k at a time. A group of weights as the
 * panel stores it, [8][16][4] bytes, is a B tile already. The integer sums are the same; the scaling after them is the one
 * FMA per group that every provider does, with sixteen accumulators in registers.
 */
#pragma once

#include <immintrin.h>

#include "dots.h"

#define TILE_ROWS 16

struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} __attribute__((packed));

/* The whole configuration is the operand: GCC 12's intrinsic names the first eight bytes only, and stores of the rest are
 * dropped as dead. */
INLINE void load_config(const struct tile_config *config) { __asm__ volatile("ldtilecfg %0" ::"m"(*config)); }

/* Tiles 0 to 3 hold sums, 4 and 5 rows of x, 6 and 7 weights. */
INLINE void configure_tiles(void) {
    struct tile_config config = {.palette = 1};
    for (int t = 0; t < 4; t++) config.rows[t] = TILE_ROWS, config.row_bytes[t] = LANES * sizeof(int32_t);
    for (int t = 4; t < 6; t++) config.rows[t] = TILE_ROWS, config.row_bytes[t] = Q8_GROUP;
    for (int t = 6; t < 8; t++) config.rows[t] = Q8_GROUP / 4, config.row_bytes[t] = LANES * 4;
    load_config(&config);
}

/* All tiles of sixteen rows of 64 bytes: the processor's full rate. */
INLINE void configure_whole_tiles(void) {
    struct tile_config config = {.palette = 1};
    for (int t = 0; t < 8; t++) config.rows[t] = TILE_ROWS, config.row_bytes[t] = 64;
    load_config(&config);
}

INLINE void scale_sums(const int32_t *sums, const uint8_t *span, size_t half, const float *x_scales, size_t ldg,
                       f32x16 *acc) {
    const f32x16 scale = f_from_half(span + half * LANES * 2);
    UNROLL for (int r = 0; r < TILE_ROWS; r++)
        acc[r] = f_fma(i_to_f32(i_load(sums + LANES * r)), f_mul(scale, f_set(x_scales[r * ldg])), acc[r]);
}

/* y[16, 16] of one panel. */
static __attribute__((noinline, unused)) void q8_amx_tile(const uint8_t *w, const int8_t *x, size_t ldx,
                                                          const float *x_scales, float *y, size_t ldy, size_t groups) {
    int32_t sums[4][TILE_ROWS * LANES] __attribute__((aligned(64)));
    const size_t ldg = ldx / sizeof(float);
    f32x16 acc[TILE_ROWS];
    UNROLL for (int r = 0; r < TILE_ROWS; r++) acc[r] = f_set(0);
    size_t g = 0;
    for (; g + 4 <= groups; g += 4) {
        const uint8_t *span = w + (g >> 1) * Q8_SPAN_BYTES;
        const uint8_t *values = span + 2 * LANES * 2;
#define STEP(sum, at, bt, i)                                                                                           \
    _tile_zero(sum);                                                                                                   \
    _tile_loadd(at, x + (g + i) * Q8_GROUP, ldx);                                                                      \
    _tile_loadd(bt, values + (i >> 1) * Q8_SPAN_BYTES + (i & 1) * LANES * Q8_GROUP, LANES * 4);                        \
    _tile_dpbssd(sum, at, bt);                                                                                         \
    _tile_stored(sum, sums[i], LANES * sizeof(int32_t));
        STEP(0, 4, 6, 0)
        STEP(1, 5, 7, 1)
        STEP(2, 4, 6, 2)
        STEP(3, 5, 7, 3)
        for (size_t i = 0; i < 4; i++)
            scale_sums(sums[i], span + (i >> 1) * Q8_SPAN_BYTES, i & 1, x_scales + g + i, ldg, acc);
    }
    for (; g < groups; g++) {
        const uint8_t *span = w + (g >> 1) * Q8_SPAN_BYTES;
        _tile_zero(0);
        _tile_loadd(4, x + g * Q8_GROUP, ldx);
        _tile_loadd(6, span + 2 * LANES * 2 + (g & 1) * LANES * Q8_GROUP, LANES * 4);
        _tile_dpbssd(0, 4, 6);
        _tile_stored(0, sums[0], LANES * sizeof(int32_t));
        scale_sums(sums[0], span, g & 1, x_scales + g, ldg, acc);
    }
    UNROLL for (int r = 0; r < TILE_ROWS; r++)
        f_store(y + r * ldy, acc[r]);
}

/* Whole tiles of sixteen rows; returns how many rows are done. */
static __attribute__((unused)) size_t q8_amx_product(const uint8_t *w, size_t stride, size_t groups, const int8_t *x,
                                                     size_t rows, size_t ldx, float *y, size_t ldy, size_t from,
                                                     size_t to, size_t block) {
    const size_t whole = rows / TILE_ROWS * TILE_ROWS;
    if (whole == 0) return 0;
    block = block / TILE_ROWS * TILE_ROWS;
    configure_tiles();
    for (size_t r0 = 0; r0 < whole; r0 += block)
        for (size_t p = from; p < to; p++)
            for (size_t r = r0; r < whole && r < r0 + block; r += TILE_ROWS) {
                const int8_t *xr = x + r * ldx;
                q8_amx_tile(w + p * stride, xr, ldx, (const float *)(xr + groups * Q8_GROUP), y + r * ldy + LANES * p, ldy,
                            groups);
            }
    _tile_release();
    return whole;
}

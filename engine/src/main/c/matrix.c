/*
 * Products with f32 and bf16 matrices over 16-row panels. The rule every provider keeps: a lane is an output row, one
 * accumulator per output element, ascending k; blocking by k stores and reloads that same accumulator. So one row or many
 * rows, one tile or another, give the same bits. x is [rows, ldx], y is [rows, ldy]; panels [from, to) are computed.
 */
#include "dots.h"

#define K_BLOCK 1024            /* k per pass over a strip of panels; the accumulators wait in y */

/* Panels of the block of weights that comes after the one worked on, as far as the tile is to ask for them. */
struct next {
    const uint8_t *panels;
    size_t count, stride; /* bytes apart */
};

/* The share of tile i of n in the next block, at `panels`; none where there is none. */
INLINE struct next share(const void *panels, size_t count, size_t stride, size_t i, size_t n) {
    const size_t each = (count + n - 1) / n, first = least(i * each, count);
    return (struct next){(const uint8_t *)panels + first * stride, least(each, count - first), stride};
}

INLINE void ask_next(const struct next next, size_t at) {
    for (size_t p = 0; p < next.count; p++) ASK(next.panels + p * next.stride + at);
}

/* ---- f32: one FMA per k ---------------------------------------------------------------------------------------- */

INLINE void f32_tile(const int panels, const int rows, const float *w, size_t panel_stride, const float *x, size_t ldx,
                     float *y, size_t ldy, size_t k0, size_t k1, const struct next next) {
    f32x16 acc[ROWS][PANELS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            acc[r][p] = k0 ? f_load(y + r * ldy + LANES * p) : f_set(0);
    for (size_t k = k0; k < k1; k++) {
        if (rows > 1) ask_next(next, (k - k0) * LANES * sizeof *w);
        f32x16 row[PANELS];
        UNROLL for (int p = 0; p < panels; p++) row[p] = f_load(w + p * panel_stride + LANES * k);
        UNROLL for (int r = 0; r < rows; r++) {
            f32x16 v = f_set(x[r * ldx + k]);
            UNROLL for (int p = 0; p < panels; p++) acc[r][p] = f_fma(row[p], v, acc[r][p]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            f_store(y + r * ldy + LANES * p, acc[r][p]);
}

/* ---- bf16: per pair, FMA of the odd element, then of the even one ------------------------------------------------- */

INLINE void bf16_tile(const int panels, const int rows, const uint16_t *w, size_t panel_stride, const bf_row *x,
                      size_t ldx, float *y, size_t ldy, size_t k0, size_t k1, const struct next next) {
    f32x16 acc[ROWS][PANELS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            acc[r][p] = k0 ? f_load(y + r * ldy + LANES * p) : f_set(0);
    for (size_t k = k0; k < k1; k += 2) {
        if (rows > 1) ask_next(next, (k - k0) * LANES * sizeof *w);
        bf_pair(panels, rows, w + LANES * k, panel_stride * sizeof *w, x + k, ldx, acc[0], PANELS);
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            f_store(y + r * ldy + LANES * p, acc[r][p]);
}

/* ---- drivers: strips of panels over blocks of rows ------------------------------------------------------------------ */

#define FLOAT_PRODUCT(NAME, ELEMENT, ROW)                                                                              \
    static __attribute__((noinline)) void NAME##_strip(int panels, const ELEMENT *w, size_t stride, const ROW *x,      \
                                                       size_t rows, size_t ldx, float *y, size_t ldy, size_t k0,       \
                                                       size_t k1, const ELEMENT *then, size_t then_panels) {           \
        const size_t tiles = (rows + ROWS - 1) / ROWS, tile_rows = (rows + tiles - 1) / tiles;                         \
        for (size_t r = 0; r < rows; r += tile_rows) {                                                                 \
            const ROW *xr = x + r * ldx;                                                                               \
            float *yr = y + r * ldy;                                                                                   \
            const struct next next = share(then, then_panels, stride * sizeof(ELEMENT), r / tile_rows, tiles);         \
            if (panels == PANELS) {                                                                                    \
                BY_ROWS(least(tile_rows, rows - r), NAME##_WIDE)                                                       \
            } else {                                                                                                   \
                BY_ROWS(least(tile_rows, rows - r), NAME##_NARROW)                                                     \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    void EXPORT(product_##NAME)(const ELEMENT *w, size_t k, const ROW *x, size_t rows, size_t ldx, float *y,           \
                              size_t ldy, size_t from, size_t to) {                                                    \
        const size_t stride = LANES * k;                                                                               \
        const size_t step = rows > 1 ? K_BLOCK : k;                                                                    \
        const size_t block = row_block(least(step, k) * sizeof(ROW));                                                  \
        for (size_t r0 = 0; r0 < rows; r0 += block)                                                                    \
            for (size_t p = from, panels; p < to; p += panels) {                                                       \
                panels = rows > 1 && p + PANELS <= to ? PANELS : 1;                                                    \
                const ELEMENT *these = w + p * stride;                                                                 \
                for (size_t k0 = 0; k0 < k; k0 += step) {                                                              \
                    const size_t k1 = least(k0 + step, k);                                                             \
                    const ELEMENT *then = k1 < k ? these + LANES * k1 : these + panels * stride;                       \
                    NAME##_strip((int)panels, these, stride, x + r0 * ldx, least(block, rows - r0), ldx,               \
                                 y + r0 * ldy + LANES * p, ldy, k0, k1, then,                                          \
                                 k1 < k ? panels : least(panels, to - p - panels));                                    \
                }                                                                                                      \
            }                                                                                                          \
    }

#define f32_WIDE(n) f32_tile(PANELS, n, w, stride, xr, ldx, yr, ldy, k0, k1, next)
#define f32_NARROW(n) f32_tile(1, n, w, stride, xr, ldx, yr, ldy, k0, k1, next)
#define bf16_WIDE(n) bf16_tile(PANELS, n, w, stride, xr, ldx, yr, ldy, k0, k1, next)
#define bf16_NARROW(n) bf16_tile(1, n, w, stride, xr, ldx, yr, ldy, k0, k1, next)
FLOAT_PRODUCT(f32, float, float)
FLOAT_PRODUCT(bf16, uint16_t, bf_row)

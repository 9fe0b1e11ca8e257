/*
 * Matrix products over 16-row panels. The rule every provider keeps: a lane is an output row, one accumulator per output
 * element, ascending k; blocking by k stores and reloads that same accumulator. So one row or many rows, one tile or
 * another, give the same bits. x is [rows, ldx], y is [rows, ldy]; panels [from, to) are computed.
 */
#include "dots.h"

#define K_BLOCK 1024            /* k per pass over a strip of panels; the accumulators wait in y */
#define L2_BYTES (512 * 1024)   /* what a block of x may take of it */

#define PREFETCH_BYTES 4096

#if defined(__AMX_INT8__)
#include "amx.h"
#endif

/* ---- f32: one FMA per k ---------------------------------------------------------------------------------------- */

INLINE void f32_tile(const int panels, const int rows, const float *w, size_t panel_stride, const float *x, size_t ldx,
                     float *y, size_t ldy, size_t k0, size_t k1) {
    f32x16 acc[ROWS][PANELS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            acc[r][p] = k0 ? f_load(y + r * ldy + LANES * p) : f_set(0);
    for (size_t k = k0; k < k1; k++) {
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

INLINE void bf16_tile(const int panels, const int rows, const uint16_t *w, size_t panel_stride, const uint16_t *x,
                      size_t ldx, float *y, size_t ldy, size_t k0, size_t k1) {
    f32x16 acc[ROWS][PANELS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            acc[r][p] = k0 ? f_load(y + r * ldy + LANES * p) : f_set(0);
    for (size_t k = k0; k < k1; k += 2) {
        bf_pairs row[PANELS];
        UNROLL for (int p = 0; p < panels; p++) row[p] = bf_load(w + p * panel_stride + LANES * k);
        UNROLL for (int r = 0; r < rows; r++) {
            bf_scalar v = bf_set(x + r * ldx + k);
            UNROLL for (int p = 0; p < panels; p++) acc[r][p] = bf_dot(row[p], v, acc[r][p]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            f_store(y + r * ldy + LANES * p, acc[r][p]);
}

/* ---- q8: an exact integer sum per 32, then acc = fma((float) sum, weightScale * activationScale, acc) -------------- */

INLINE void q8_tile(const int panels, const int rows, const uint8_t *w, size_t panel_stride, const int8_t *x, size_t ldx,
                    const float *x_scales, const int32_t *x_sums, size_t ldg, float *y, size_t ldy, size_t groups,
                    const int prefetch) {
    f32x16 acc[ROWS][Q8_PANELS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            acc[r][p] = f_set(0);
    for (size_t g = 0; g < groups; g++) {
        const uint8_t *span = w + (g >> 1) * Q8_SPAN_BYTES;
        const int8_t *values = (const int8_t *)(span + 2 * LANES * 2 + (g & 1) * LANES * Q8_GROUP);
        i32x16 sum[ROWS][Q8_PANELS];
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int p = 0; p < panels; p++)
                sum[r][p] = i_set(Q8_OFFSET ? -Q8_OFFSET * x_sums[r * ldg + g] : 0);
        UNROLL for (int k = 0; k < Q8_GROUP; k += 4) {
            i32x16 row[Q8_PANELS];
            UNROLL for (int p = 0; p < panels; p++) {
                const int8_t *line = values + p * panel_stride + LANES * k;
                if (prefetch) __builtin_prefetch(line + PREFETCH_BYTES);
                row[p] = q8_load(line);
            }
            UNROLL for (int r = 0; r < rows; r++) {
                i32x16 v = i_set(load_word(x + r * ldx + g * Q8_GROUP + k));
                UNROLL for (int p = 0; p < panels; p++) sum[r][p] = q8_dot(sum[r][p], row[p], v);
            }
        }
        UNROLL for (int p = 0; p < panels; p++) {
            f32x16 scale = f_from_half(span + p * panel_stride + (g & 1) * LANES * 2);
            UNROLL for (int r = 0; r < rows; r++)
                acc[r][p] = f_fma(i_to_f32(sum[r][p]), f_mul(scale, f_set(x_scales[r * ldg + g])), acc[r][p]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            f_store(y + r * ldy + LANES * p, acc[r][p]);
}

/* ---- drivers: strips of panels over blocks of rows ------------------------------------------------------------------ */

/* Rows of x whose block of row_bytes each stays in L2 while all panels pass over it; whole tiles. */
INLINE size_t row_block(size_t row_bytes) {
    size_t rows = L2_BYTES / row_bytes / ROWS * ROWS;
    return rows < 4 * ROWS ? 4 * ROWS : rows;
}

#define FLOAT_PRODUCT(NAME, ELEMENT)                                                                                   \
    static __attribute__((noinline)) void NAME##_strip(int panels, const ELEMENT *w, size_t stride, const ELEMENT *x,  \
                                                       size_t rows, size_t ldx, float *y, size_t ldy, size_t k0,       \
                                                       size_t k1) {                                                    \
        for (size_t r = 0; r < rows; r += ROWS) {                                                                      \
            const ELEMENT *xr = x + r * ldx;                                                                           \
            float *yr = y + r * ldy;                                                                                   \
            if (panels == PANELS) {                                                                                    \
                BY_ROWS(rows - r, NAME##_WIDE)                                                                         \
            } else {                                                                                                   \
                BY_ROWS(rows - r, NAME##_NARROW)                                                                       \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    void EXPORT(product_##NAME)(const ELEMENT *w, size_t k, const ELEMENT *x, size_t rows, size_t ldx, float *y,         \
                              size_t ldy, size_t from, size_t to) {                                                    \
        const size_t stride = LANES * k;                                                                               \
        const size_t step = rows > ROWS ? K_BLOCK : k;                                                                 \
        const size_t block = row_block(least(step, k) * sizeof(ELEMENT));                                              \
        for (size_t r0 = 0; r0 < rows; r0 += block)                                                                    \
            for (size_t p = from, panels; p < to; p += panels) {                                                       \
                panels = rows > 1 && p + PANELS <= to ? PANELS : 1;                                                    \
                for (size_t k0 = 0; k0 < k; k0 += step)                                                                \
                    NAME##_strip((int)panels, w + p * stride, stride, x + r0 * ldx, least(block, rows - r0), ldx,      \
                                 y + r0 * ldy + LANES * p, ldy, k0, least(k0 + step, k));                              \
            }                                                                                                          \
    }

#define f32_WIDE(n) f32_tile(PANELS, n, w, stride, xr, ldx, yr, ldy, k0, k1)
#define f32_NARROW(n) f32_tile(1, n, w, stride, xr, ldx, yr, ldy, k0, k1)
#define bf16_WIDE(n) bf16_tile(PANELS, n, w, stride, xr, ldx, yr, ldy, k0, k1)
#define bf16_NARROW(n) bf16_tile(1, n, w, stride, xr, ldx, yr, ldy, k0, k1)
FLOAT_PRODUCT(f32, float)
FLOAT_PRODUCT(bf16, uint16_t)

/* A rounded row: groups * 32 values, then a scale per group, then a sum of values per group. */
static __attribute__((noinline)) void q8_strip(int panels, const uint8_t *w, size_t stride, const int8_t *x, size_t rows,
                                               size_t ldx, float *y, size_t ldy, size_t groups) {
    for (size_t r = 0; r < rows; r += ROWS) {
        const int8_t *xr = x + r * ldx;
        const float *scales = (const float *)(xr + groups * Q8_GROUP);
        const int32_t *sums = (const int32_t *)(scales + groups);
        const size_t ldg = ldx / sizeof(float);
        float *yr = y + r * ldy;
#define Q8_WIDE(n) q8_tile(Q8_PANELS, n, w, stride, xr, ldx, scales, sums, ldg, yr, ldy, groups, 0)
#define Q8_NARROW(n) q8_tile(1, n, w, stride, xr, ldx, scales, sums, ldg, yr, ldy, groups, 1)
        if (panels == Q8_PANELS) {
            BY_ROWS(rows - r, Q8_WIDE)
        } else {
            BY_ROWS(rows - r, Q8_NARROW)
        }
    }
}

void EXPORT(product_q8)(const uint8_t *w, size_t groups, const int8_t *x, size_t rows, size_t ldx, float *y, size_t ldy,
                      size_t from, size_t to) {
    const size_t stride = (groups + 1) / 2 * Q8_SPAN_BYTES;
    const size_t block = row_block(ldx);
    size_t r0 = 0;
#if defined(__AMX_INT8__)
    r0 = q8_amx_product(w, stride, groups, x, rows, ldx, y, ldy, from, to, block);
#endif
    for (; r0 < rows; r0 += block)
        for (size_t p = from, panels; p < to; p += panels) {
            panels = rows > ROWS && p + Q8_PANELS <= to ? Q8_PANELS : 1;
            q8_strip((int)panels, w + p * stride, stride, x + r0 * ldx, least(block, rows - r0), ldx,
                     y + r0 * ldy + LANES * p, ldy, groups);
        }
}

/*
 * Products with quantised matrices over 16-row panels, whose layouts io.baton.engine.kernel.PanelBlock describes. A group of
 * 32 columns gives an exact integer sum, a half of it where halves have scales; then
 * acc = fma((float) sum, scale * x_scale, acc) and, in formats with offsets, acc = fma(offset, x_sum * x_scale, acc).
 * Scales and offsets are exact in f32. One tile for all formats: what differs is constant where it is expanded.
 */
#include "dots.h"

#define QUADS (Q8_GROUP / 4)

#if defined(__AMX_INT8__)
#include "amx.h"
#endif

enum scales { PLAIN, WITH_OFFSETS, NESTED_WITH_MINS, NESTED_HALVES };

struct form {
    int bits;           /* of a value */
    int bias;           /* what a code has to lose to be a weight */
    int uneven;         /* codes stand for levels */
    enum scales scales;
};

#define q8_FORM (struct form){8, Q8_OFFSET, 0, PLAIN}
#define q4_0_FORM (struct form){4, 8, 0, PLAIN}
#define q4_1_FORM (struct form){4, 0, 0, WITH_OFFSETS}
#define q5_0_FORM (struct form){5, 16, 0, PLAIN}
#define q5_1_FORM (struct form){5, 0, 0, WITH_OFFSETS}
#define iq4_nl_FORM (struct form){4, Q8_OFFSET, 1, PLAIN}
#define q4_k_FORM (struct form){4, 0, 0, NESTED_WITH_MINS}
#define q5_k_FORM (struct form){5, 0, 0, NESTED_WITH_MINS}
#define q6_k_FORM (struct form){6, 32, 0, NESTED_HALVES}

INLINE int nested(const struct form f) { return f.scales >= NESTED_WITH_MINS; }
INLINE int has_offsets(const struct form f) { return f.scales == WITH_OFFSETS || f.scales == NESTED_WITH_MINS; }
INLINE size_t block_groups(const struct form f) { return nested(f) ? 8 : 2; }
INLINE size_t scale_bytes(const struct form f) { return nested(f) ? 320 : f.scales == WITH_OFFSETS ? 128 : 64; }
INLINE size_t group_bytes(const struct form f) { return (size_t)f.bits * Q8_GROUP * LANES / 8; }
INLINE size_t block_bytes(const struct form f) { return scale_bytes(f) + block_groups(f) * group_bytes(f); }

/* Four columns of the sixteen rows as bytes that q8_dot takes for weights, or code_dot for codes. */
INLINE i32x16 quad_of(const struct form f, const uint8_t *group, const int quad) {
    static const int8_t levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    if (f.bits == 8) return q8_load((const int8_t *)group + LANES * 4 * quad);
    i32x16 both = i_load(group + LANES * 4 * (quad & 3));
    i32x16 low = i_and(quad < 4 ? both : i_shr(both, 4), i_set(0x0f0f0f0f));
    if (f.uneven) return q8_weights(i_lookup(levels, low));
    if (f.bits == 4) return low;
    const int half = f.bits == 6 ? quad >> 2 : 0;
    const int up = f.bits == 6 ? 4 - 2 * (quad & 3) : 4 - quad; /* from where the bits are stored to bit 4 */
    i32x16 high = i_load(group + Q8_GROUP * LANES / 2 + LANES * 4 * half);
    high = up > 0 ? i_shl(high, up) : up < 0 ? i_shr(high, -up) : high;
    return i_or(low, i_and(high, i_set(f.bits == 6 ? 0x30303030 : 0x10101010)));
}

INLINE f32x16 scales_of(const struct form f, const uint8_t *block, size_t group, const int half) {
    if (!nested(f)) return f_from_half(block + LANES * 2 * group);
    return f_mul(f_from_half(block), i_to_f32(i_from_s8(block + 64 + LANES * (2 * group + (size_t)half))));
}

INLINE f32x16 offsets_of(const struct form f, const uint8_t *block, size_t group) {
    if (!nested(f)) return f_from_half(block + 64 + LANES * 2 * group);
    return f_neg(f_mul(f_from_half(block + LANES * 2), i_to_f32(i_from_s8(block + 64 + LANES * (2 * group + 1)))));
}

/* Rounded rows as round_q8 writes them; the numbers of a group lie ldg apart from row to row. */
struct rounded {
    const int8_t *x;
    size_t ldx, ldg;
    const float *scales, *products;
    const int32_t *sums;
    const struct pair_sums *pairs;
};

INLINE struct rounded rows_at(const int8_t *x, size_t ldx, size_t groups) {
    const float *scales = (const float *)(x + groups * Q8_GROUP);
    return (struct rounded){x, ldx, ldx / sizeof(float), scales, scales + 2 * groups,
                            (const int32_t *)(scales + groups), (const struct pair_sums *)(scales + 3 * groups)};
}

/* which = 0 and 1 are those of the group's halves, 2 of the whole. */
INLINE const struct pair_sums *pairs_of(const struct rounded in, size_t row, size_t group, int which) {
    return in.pairs + row * in.ldg + 3 * group + (size_t)which;
}

/* Whether sums of codes are taken in 16 bits: of a half group of six-bit weights, |w| <= 32, at most 4 * 2 * 32 * 127; of a
 * group of five bits at most 8 * 2 * 16 * 127; of four bits 8 * 2 * 15 * 127. All fit, if codes of five and six bits have
 * lost 16 and 32 by then; on the way sums may wrap. */
INLINE int in_pairs(const struct form f) { return CODE_PAIRS && f.bits < 8 && !f.uneven; }
INLINE int lost_in_pairs(const struct form f) { return !in_pairs(f) || f.bits == 4 ? 0 : f.bits == 5 ? 16 : 32; }

#if defined(__ARM_FEATURE_MATMUL_INT8)
/* Two rows at a time, eight columns of two rows of the panel at once: smmla gives the four sums of two rows by two. */
#define MATRIX_ROWS(rows) ((rows) & ~1)

INLINE void matrix_sums(const struct form f, const int rows, const int from, const int to, const uint8_t *values,
                        const struct rounded in, size_t group, i32x16 sum[ROWS][Q8_PANELS]) {
    int32x4_t part[ROWS / 2][8]; /* of the panel's rows 2i and 2i + 1: first by both rows of x, second by both */
    UNROLL for (int r = 0; r < rows / 2; r++)
        UNROLL for (int i = 0; i < 8; i++) part[r][i] = vdupq_n_s32(0);
    UNROLL for (int quad = from; quad < to; quad += 2) {
        const i32x16 a = quad_of(f, values, quad), b = quad_of(f, values, quad + 1);
        int8x16_t w[8];
        UNROLL for (int i = 0; i < 4; i++) {
            w[2 * i] = vreinterpretq_s8_s32(vzip1q_s32(a.v[i], b.v[i]));
            w[2 * i + 1] = vreinterpretq_s8_s32(vzip2q_s32(a.v[i], b.v[i]));
        }
        UNROLL for (int r = 0; r < rows / 2; r++) {
            const int8_t *x = in.x + (size_t)(2 * r) * in.ldx + group * Q8_GROUP + 4 * quad;
            const int8x16_t two = vcombine_s8(vld1_s8(x), vld1_s8(x + in.ldx));
            UNROLL for (int i = 0; i < 8; i++) part[r][i] = vmmlaq_s32(part[r][i], w[i], two);
        }
    }
    UNROLL for (int r = 0; r < rows / 2; r++)
        UNROLL for (int i = 0; i < 4; i++) {
            const int32x4_t low = part[r][2 * i], high = part[r][2 * i + 1];
            i32x16 *first = &sum[2 * r][0], *second = &sum[2 * r + 1][0];
            first->v[i] = vaddq_s32(first->v[i], vuzp1q_s32(low, high));
            second->v[i] = vaddq_s32(second->v[i], vuzp2q_s32(low, high));
        }
}
#else
#define MATRIX_ROWS(rows) 0
INLINE void matrix_sums(const struct form f, const int rows, const int from, const int to, const uint8_t *values,
                        const struct rounded in, size_t group, i32x16 sum[ROWS][Q8_PANELS]) {
    (void)f, (void)rows, (void)from, (void)to, (void)values, (void)in, (void)group, (void)sum;
}
#endif

/* Sums of the quads [from, to) of a group, added to sum. */
INLINE void quad_sums(const struct form f, const int panels, const int rows, const int from, const int to,
                      const uint8_t *values, size_t stride, const struct rounded in, size_t group,
                      i32x16 sum[ROWS][Q8_PANELS]) {
    const int first = MATRIX_ROWS(rows);
    if (first) matrix_sums(f, first, from, to, values, in, group, sum);
    i32x16 part[ROWS][Q8_PANELS];
    UNROLL for (int r = first; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            part[r][p] = in_pairs(f) ? i_set(0) : sum[r][p];
    if (first < rows) UNROLL for (int quad = from; quad < to; quad++) {
        i32x16 w[Q8_PANELS];
        UNROLL for (int p = 0; p < panels; p++) w[p] = quad_of(f, values + (size_t)p * stride, quad);
        UNROLL for (int r = first; r < rows; r++) {
            i32x16 v = i_set(load_word(in.x + (size_t)r * in.ldx + group * Q8_GROUP + 4 * quad));
            UNROLL for (int p = 0; p < panels; p++)
                part[r][p] = in_pairs(f) ? code_dot(part[r][p], w[p], v) : q8_dot(part[r][p], w[p], v);
        }
    }
    UNROLL for (int r = first; r < rows; r++) {
        const int which = to - from == QUADS ? 2 : from != 0;
        i32x16 pairs = i_set(lost_in_pairs(f) ? load_word(pairs_of(in, (size_t)r, group, which)) : 0);
        UNROLL for (int p = 0; p < panels; p++)
            sum[r][p] = in_pairs(f) ? i_add(sum[r][p], code_sum(part[r][p], pairs, lost_in_pairs(f))) : part[r][p];
    }
}

/* Lines of the next panels still to be asked for, some at each group. */
struct ahead {
    const uint8_t *next, *end;
    size_t step_bytes;
};

INLINE struct ahead ahead_of(const uint8_t *next, size_t bytes, size_t steps) {
    return (struct ahead){next, next + bytes, (bytes / 64 + steps - 1) / steps * 64};
}

INLINE void ask(struct ahead *ahead) {
    if (ahead->next >= ahead->end) return;
    const uint8_t *to = ahead->next + ahead->step_bytes;
    for (const uint8_t *line = ahead->next; line < to; line += 64) ASK(line);
    ahead->next = to;
}

INLINE void tile(const struct form f, const int panels, const int rows, const uint8_t *w, size_t stride,
                 const struct rounded in, float *y, size_t ldy, size_t groups, struct ahead *ahead) {
    const int halves = f.scales == NESTED_HALVES ? 2 : 1;
    f32x16 acc[ROWS][Q8_PANELS];
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            acc[r][p] = f_set(0);
    for (size_t g = 0; g < groups; g++) {
        const uint8_t *block = w + g / block_groups(f) * block_bytes(f);
        const size_t at = g % block_groups(f);
        const uint8_t *values = block + scale_bytes(f) + at * group_bytes(f);
        if (rows > 1) ask(ahead);
        else if (at == 0) ASK(block + PAGE_BYTES);
        UNROLL for (int half = 0; half < halves; half++) {
            i32x16 sum[ROWS][Q8_PANELS];
            UNROLL for (int r = 0; r < rows; r++) {
                const int rest = f.bias - lost_in_pairs(f);
                int32_t lost = 0;
                if (rest && halves == 1) lost = rest * in.sums[(size_t)r * in.ldg + g];
                if (rest && halves == 2) {
                    const struct pair_sums *pairs = pairs_of(in, (size_t)r, g, half);
                    lost = rest * (pairs->first + pairs->last);
                }
                UNROLL for (int p = 0; p < panels; p++) sum[r][p] = i_set(-lost);
            }
            quad_sums(f, panels, rows, half * QUADS / halves, (half + 1) * QUADS / halves, values, stride, in, g, sum);
            UNROLL for (int p = 0; p < panels; p++) {
                f32x16 scale = scales_of(f, block + (size_t)p * stride, at, half);
                UNROLL for (int r = 0; r < rows; r++)
                    acc[r][p] = f_fma(i_to_f32(sum[r][p]), f_mul(scale, f_set(in.scales[(size_t)r * in.ldg + g])),
                                      acc[r][p]);
            }
        }
        if (has_offsets(f))
            UNROLL for (int p = 0; p < panels; p++) {
                f32x16 offset = offsets_of(f, block + (size_t)p * stride, at);
                UNROLL for (int r = 0; r < rows; r++)
                    acc[r][p] = f_fma(offset, f_set(in.products[(size_t)r * in.ldg + g]), acc[r][p]);
            }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int p = 0; p < panels; p++)
            f_store(y + (size_t)r * ldy + LANES * p, acc[r][p]);
}

#define WIDE(n) tile(f, Q8_PANELS, n, w, stride, in, yr, ldy, groups, &ahead)
#define NARROW(n) tile(f, 1, n, w, stride, in, yr, ldy, groups, &ahead)
INLINE void strip(const struct form f, int panels, const uint8_t *w, size_t stride, const int8_t *x, size_t rows, size_t ldx,
                  float *y, size_t ldy, size_t groups, size_t next_panels) {
    const size_t tiles = (rows + Q8_ROWS - 1) / Q8_ROWS, tile_rows = (rows + tiles - 1) / tiles;
    struct ahead ahead = ahead_of(w + (size_t)panels * stride, next_panels * stride, tiles * groups);
    for (size_t r = 0; r < rows; r += tile_rows) {
        const struct rounded in = rows_at(x + r * ldx, ldx, groups);
        float *yr = y + r * ldy;
        if (Q8_PANELS > 1 && panels == Q8_PANELS) {
            BY_ROWS(least(tile_rows, rows - r), WIDE)
        } else {
            BY_ROWS(least(tile_rows, rows - r), NARROW)
        }
    }
}

#define PRODUCT(NAME, FIRST_ROWS)                                                                                      \
    static __attribute__((noinline)) void NAME##_strip(int panels, const uint8_t *w, size_t stride, const int8_t *x,   \
                                                       size_t rows, size_t ldx, float *y, size_t ldy, size_t groups,   \
                                                       size_t next_panels) {                                           \
        strip(NAME##_FORM, panels, w, stride, x, rows, ldx, y, ldy, groups, next_panels);                              \
    }                                                                                                                  \
    void EXPORT(product_##NAME)(const uint8_t *w, size_t groups, const int8_t *x, size_t rows, size_t ldx, float *y,   \
                                size_t ldy, size_t from, size_t to) {                                                  \
        const struct form f = NAME##_FORM;                                                                             \
        const size_t stride = (groups + block_groups(f) - 1) / block_groups(f) * block_bytes(f);                       \
        const size_t block = row_block(groups * (Q8_GROUP + 2 * sizeof(float)));                                       \
        size_t r0 = FIRST_ROWS;                                                                                        \
        for (; r0 < rows; r0 += block)                                                                                 \
            for (size_t p = from, panels; p < to; p += panels) {                                                       \
                panels = rows > 1 && p + Q8_PANELS <= to ? Q8_PANELS : 1;                                              \
                NAME##_strip((int)panels, w + p * stride, stride, x + r0 * ldx, least(block, rows - r0), ldx,          \
                             y + r0 * ldy + LANES * p, ldy, groups, least(panels, to - p - panels));                   \
            }                                                                                                          \
    }

#if defined(__AMX_INT8__)
PRODUCT(q8, q8_amx_product(w, stride, groups, x, rows, ldx, y, ldy, from, to, block))
#else
PRODUCT(q8, 0)
#endif
PRODUCT(q4_0, 0)
PRODUCT(q4_1, 0)
PRODUCT(q5_0, 0)
PRODUCT(q5_1, 0)
PRODUCT(iq4_nl, 0)
PRODUCT(q4_k, 0)
PRODUCT(q5_k, 0)
PRODUCT(q6_k, 0)

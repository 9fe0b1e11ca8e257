/*
 * Attention of a few query rows over one KV head of one sequence, read from the pool's blocks: segments of 256 absolute
 * positions, each (max, sum, accumulator) from zero, merged from left to right; see io.baton.engine.kernel.Kernels. Tiles
 * are those of the matrix products: K has tokens as panel rows, V has head dimensions as panel rows.
 */
#include "arithmetic.h"
#include "dots.h"
#include "kv_head.h"

#define SEGMENT 256

/* Rows and panels of a tile: enough accumulators to hide the latency of an FMA, few enough for the registers. Widening bf16
 * and values in q8 takes some of these, an exact int8 product more. */
#if defined(__AVX512F__)
#define WIDENED_ROWS ROWS
#define Q8_SCORE_ROWS ROWS
#define SCORE_PANELS(n) 2
#define VALUE_PANELS(n) 4
#define Q8_VALUE_PANELS(n) 4
#else
#define WIDENED_ROWS 5
#define Q8_SCORE_ROWS 4
#define SCORE_PANELS(n) ((n) < 3 ? 2 : 1)
#define VALUE_PANELS(n) ((n) < 2 ? 4 : (n) < 3 ? 2 : 1)
#define Q8_VALUE_PANELS(n) ((n) < 3 ? 2 : 1)
#endif
#define MOST_PANELS 4

/* A piece is K or V of one head in one block. Blocks lie anywhere: no processor guesses where the next one begins. So each
 * line of a piece asks for the line at the same place of a piece to come. */
#define PIECES_AHEAD 2

/* What each row has of some keys: the highest score, the sum of weights, and the weighted values, dims a row. */
struct partial {
    float *max, *sum, *acc;
};

/* One call's query rows in scratch memory, a row of each array per query row. */
struct rows {
    size_t dims;            /* head dimensions padded to whole vectors: row length of q and acc */
    uint8_t *q;             /* scaled and rounded query, dims * 4 bytes a row, of which bf16 may use half */
    float *q_scale;         /* q8 only */
    int32_t *q_sum;         /* q8 only */
    size_t *sees;           /* how many keys: those up to and including its own */
    float *p;               /* SEGMENT scores, then weights: rounded to bf16, or times V's scale, as the type wants */
    struct partial segment; /* of one segment */
    struct partial merged;  /* of all segments so far */
};

static size_t padded(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

size_t EXPORT(attention_scratch)(size_t head_dim, size_t rows) {
    const size_t floats = 3 * padded(head_dim, LANES) + SEGMENT + 6; /* q, acc twice; p; q_scale, q_sum, max and sum twice */
    const size_t arrays = 11;
    return rows * (floats * sizeof(float) + sizeof(size_t)) + arrays * 2 * 64;
}

static struct rows lay_out(uint8_t *scratch, size_t head_dim, size_t n) {
    struct rows r = {.dims = padded(head_dim, LANES)};
    uint8_t *next = scratch;
#define TAKE(field, bytes) r.field = (void *)next, next += padded(bytes, 64)
#define TAKE_PARTIAL(field) /* a vector may begin at the last row */                                                   \
    TAKE(field.max, (n + LANES) * sizeof(float)), TAKE(field.sum, (n + LANES) * sizeof(float)),                        \
        TAKE(field.acc, n * r.dims * sizeof(float))
    TAKE(q, n * r.dims * sizeof(float));
    TAKE(p, n * SEGMENT * sizeof(float));
    TAKE(sees, n * sizeof(size_t));
    TAKE(q_scale, n * sizeof(float));
    TAKE(q_sum, n * sizeof(int32_t));
    TAKE_PARTIAL(segment);
    TAKE_PARTIAL(merged);
    return r;
}

static void round_query(const struct kv_head *kv, const struct rows *rows, size_t r, const float *q, float scale) {
    const size_t dims = rows->dims, n = (size_t)kv->head_dim;
    float scaled[dims];
    memset(scaled, 0, sizeof scaled);
    for (size_t d = 0; d < n; d++) scaled[d] = q[d] * scale;
    uint8_t *to = rows->q + r * dims * sizeof(float);
    if (kv->type == KV_F32) {
        memcpy(to, scaled, dims * sizeof(float));
    } else if (kv->type == KV_BF16) {
        for (size_t d = 0; d < dims; d += LANES) bf_store((bf_row *)to + d, f_load(scaled + d));
    } else {
        i32x16 most = i_set(0), sum = i_set(0);
        for (size_t d = 0; d < dims; d += LANES) most = i_max(most, f_bits(f_abs(f_load(scaled + d))));
        rows->q_scale[r] = q8_scale(largest(most));
        f32x16 inverse = f_set(q8_inverse(rows->q_scale[r]));
        for (size_t d = 0; d < dims; d += LANES) {
            i32x16 v = q8_values(f_load(scaled + d), inverse);
            i_store_low8((int8_t *)to + d, v);
            sum = i_add(sum, v);
        }
        rows->q_sum[r] = sum_i32(sum);
    }
}

/* ---- scores of the keys of up to PANELS panels of one block ------------------------------------------------------------ */

INLINE void score_tile(const int type, const int panels, const int n, const struct kv_head *kv, const struct rows *rows,
                       size_t r0, const uint8_t *unit, size_t panel, float *p, ptrdiff_t ahead) {
    const uint8_t *keys = unit + kv->keys + panel * (size_t)kv->key_panel;
    const size_t stride = (size_t)kv->key_panel, ldq = rows->dims * sizeof(float), dims = (size_t)kv->head_dim;
    const uint8_t *q = rows->q + r0 * ldq;
    if (type == KV_Q8) {
        i32x16 sum[ROWS][MOST_PANELS];
        UNROLL for (int r = 0; r < n; r++)
            UNROLL for (int i = 0; i < panels; i++) sum[r][i] = i_set(-Q8_OFFSET * rows->q_sum[r0 + r]);
        for (size_t d = 0; d < dims; d += 4) {
            i32x16 k[MOST_PANELS];
            UNROLL for (int i = 0; i < panels; i++) ASK(keys + ahead + i * stride + d * LANES);
            UNROLL for (int i = 0; i < panels; i++) k[i] = q8_load((const int8_t *)(keys + i * stride + d * LANES));
            UNROLL for (int r = 0; r < n; r++) {
                i32x16 v = i_set(load_word(q + r * ldq + d));
                UNROLL for (int i = 0; i < panels; i++) sum[r][i] = q8_dot(sum[r][i], k[i], v);
            }
        }
        UNROLL for (int i = 0; i < panels; i++) {
            f32x16 scale = f_load((const float *)(unit + kv->key_scales) + LANES * (panel + i));
            UNROLL for (int r = 0; r < n; r++)
                f_store(p + r * SEGMENT + LANES * i,
                        f_mul(i_to_f32(sum[r][i]), f_mul(scale, f_set(rows->q_scale[r0 + r]))));
        }
        return;
    }
    f32x16 acc[ROWS][MOST_PANELS];
    UNROLL for (int r = 0; r < n; r++)
        UNROLL for (int i = 0; i < panels; i++) acc[r][i] = f_set(0);
    if (type == KV_BF16) {
        for (size_t d = 0; d < dims; d += 2) {
            const uint8_t *pair = keys + d * LANES * sizeof(uint16_t);
            UNROLL for (int i = 0; i < panels; i++) ASK(pair + ahead + i * stride);
            bf_pair(panels, n, pair, stride, (const bf_row *)q + d, ldq / sizeof(bf_row), acc[0], MOST_PANELS);
        }
    } else {
        for (size_t d = 0; d < dims; d++) {
            f32x16 k[MOST_PANELS];
            UNROLL for (int i = 0; i < panels; i++) ASK(keys + ahead + i * stride + d * LANES * sizeof(float));
            UNROLL for (int i = 0; i < panels; i++) k[i] = f_load((const float *)(keys + i * stride) + d * LANES);
            UNROLL for (int r = 0; r < n; r++) {
                f32x16 v = f_set(((const float *)(q + r * ldq))[d]);
                UNROLL for (int i = 0; i < panels; i++) acc[r][i] = f_fma(k[i], v, acc[r][i]);
            }
        }
    }
    UNROLL for (int r = 0; r < n; r++)
        UNROLL for (int i = 0; i < panels; i++) f_store(p + r * SEGMENT + LANES * i, acc[r][i]);
}

#define SCORES(NAME, STEP)                                                                                             \
    static __attribute__((noinline)) void scores_##NAME(const struct kv_head *kv, const struct rows *rows, size_t n,   \
                                                        const uint8_t *unit, size_t panels, float *p,                  \
                                                        ptrdiff_t ahead) {                                             \
        for (size_t r = 0; r < n; r += STEP)                                                                           \
            for (size_t i = 0; i < panels;) {                                                                          \
                float *to = p + r * SEGMENT + LANES * i;                                                               \
                BY_ROWS(least(STEP, n - r), NAME##_SCORES)                                                             \
            }                                                                                                          \
    }
#define SCORE_TILE(type, n)                                                                                            \
    {                                                                                                                  \
        const int wide = i + SCORE_PANELS(n) <= panels;                                                                \
        if (wide) score_tile(type, SCORE_PANELS(n), n, kv, rows, r, unit, i, to, ahead);                               \
        else score_tile(type, 1, n, kv, rows, r, unit, i, to, ahead);                                                  \
        i += wide ? SCORE_PANELS(n) : 1;                                                                               \
    }
#define f32_SCORES(n) SCORE_TILE(KV_F32, n)
#define bf16_SCORES(n) SCORE_TILE(KV_BF16, n)
#define q8_SCORES(n) SCORE_TILE(KV_Q8, n)
SCORES(f32, ROWS)
SCORES(bf16, WIDENED_ROWS)
SCORES(q8, Q8_SCORE_ROWS)

/* ---- weighted values: acc += p * V over keys [key, end) of one block --------------------------------------------------- */

INLINE void weigh_key(const int panels, const int n, const f32x16 *v, const float *p, f32x16 acc[][MOST_PANELS]) {
    UNROLL for (int r = 0; r < n; r++) {
        f32x16 weight = f_set(p[r * SEGMENT]);
        UNROLL for (int i = 0; i < panels; i++) acc[r][i] = f_fma(v[i], weight, acc[r][i]);
    }
}

/* The key-th of four. */
INLINE void weigh_q8(const int panels, const int n, const i32x16 *four, const int key, const float *p,
                     f32x16 acc[][MOST_PANELS]) {
    f32x16 v[MOST_PANELS];
    UNROLL for (int i = 0; i < panels; i++) v[i] = i_to_f32(i_sar(i_shl(four[i], 24 - 8 * key), 24));
    weigh_key(panels, n, v, p, acc);
}

INLINE void value_tile(const int type, const int panels, const int n, const struct kv_head *kv, const struct rows *rows,
                       size_t r0, const uint8_t *unit, size_t panel, size_t key, size_t end, size_t in_segment,
                       ptrdiff_t ahead) {
    const uint8_t *values = unit + kv->values + panel * (size_t)kv->value_panel;
    const size_t stride = (size_t)kv->value_panel;
    float *to = rows->segment.acc + r0 * rows->dims + LANES * panel;
    const float *p0 = rows->p + r0 * SEGMENT;
    f32x16 acc[ROWS][MOST_PANELS];
    UNROLL for (int r = 0; r < n; r++)
        UNROLL for (int i = 0; i < panels; i++) acc[r][i] = f_load(to + r * rows->dims + LANES * i);
    if (type == KV_BF16) {
        for (; key < end; key += 2, in_segment += 2) {
            const uint8_t *pair = values + key * LANES * sizeof(uint16_t);
            UNROLL for (int i = 0; i < panels; i++) ASK(pair + ahead + i * stride);
            bf_pair(panels, n, pair, stride, (const bf_row *)p0 + in_segment, SEGMENT * sizeof(float) / sizeof(bf_row),
                    acc[0], MOST_PANELS);
        }
    } else if (type == KV_F32) {
        for (; key < end; key++, in_segment++) {
            f32x16 v[MOST_PANELS];
            UNROLL for (int i = 0; i < panels; i++) ASK(values + ahead + i * stride + key * LANES * sizeof(float));
            UNROLL for (int i = 0; i < panels; i++) v[i] = f_load((const float *)(values + i * stride) + key * LANES);
            weigh_key(panels, n, v, p0 + in_segment, acc);
        }
    } else {
        while (key < end) { /* four keys lie together */
            const size_t to_four = least(4 - key % 4, end - key);
            i32x16 four[MOST_PANELS];
            UNROLL for (int i = 0; i < panels; i++) ASK(values + ahead + i * stride + key / 4 * 4 * LANES);
            UNROLL for (int i = 0; i < panels; i++) four[i] = i_load(values + i * stride + key / 4 * 4 * LANES);
            if (to_four == 4) {
                UNROLL for (int j = 0; j < 4; j++) weigh_q8(panels, n, four, j, p0 + in_segment + j, acc);
            } else {
                for (size_t j = 0; j < to_four; j++)
                    weigh_q8(panels, n, four, (int)(key % 4 + j), p0 + in_segment + j, acc);
            }
            key += to_four;
            in_segment += to_four;
        }
    }
    UNROLL for (int r = 0; r < n; r++)
        UNROLL for (int i = 0; i < panels; i++) f_store(to + r * rows->dims + LANES * i, acc[r][i]);
}

#define VALUES(NAME)                                                                                                   \
    static __attribute__((noinline)) void values_##NAME(const struct kv_head *kv, const struct rows *rows, size_t r0,  \
                                                        size_t n, const uint8_t *unit, size_t key, size_t end,         \
                                                        size_t in_segment, ptrdiff_t ahead) {                          \
        const size_t panels = rows->dims / LANES;                                                                      \
        for (size_t i = 0; i < panels;) {                                                                              \
            BY_ROWS(n, NAME##_VALUES)                                                                                  \
        }                                                                                                              \
    }
#define VALUE_TILE(type, n, most)                                                                                      \
    {                                                                                                                  \
        const int wide = i + most <= panels;                                                                           \
        if (wide) value_tile(type, most, n, kv, rows, r0, unit, i, key, end, in_segment, ahead);                       \
        else value_tile(type, 1, n, kv, rows, r0, unit, i, key, end, in_segment, ahead);                               \
        i += wide ? most : 1;                                                                                          \
    }
#define f32_VALUES(n) VALUE_TILE(KV_F32, n, VALUE_PANELS(n))
#define bf16_VALUES(n) VALUE_TILE(KV_BF16, n, VALUE_PANELS(n))
#define q8_VALUES(n) VALUE_TILE(KV_Q8, n, Q8_VALUE_PANELS(n))
VALUES(f32)
VALUES(bf16)
VALUES(q8)

static void weigh(const struct kv_head *kv, const struct rows *rows, size_t r0, size_t n, const uint8_t *unit, size_t key,
                  size_t end, size_t in_segment, ptrdiff_t ahead) {
    if (key >= end) return;
    if (kv->type == KV_F32) values_f32(kv, rows, r0, n, unit, key, end, in_segment, ahead);
    else if (kv->type == KV_BF16) values_bf16(kv, rows, r0, n, unit, key, end, in_segment, ahead);
    else values_q8(kv, rows, r0, n, unit, key, end, in_segment, ahead);
}

/* ---- one segment ------------------------------------------------------------------------------------------------------- */

/*
 * Turns the first n scores into weights, zero from there to the end of the vector; their sum, and the highest score. The
 * sum is of unrounded weights.
 */
static float exponentials(int64_t type, float *p, size_t n, float *max) {
    const size_t whole = padded(n, LANES);
    for (size_t i = n; i < whole; i++) p[i] = -__builtin_inff();
    f32x16 most = f_load(p);
    for (size_t i = LANES; i < whole; i += LANES) most = f_max(most, f_load(p + i));
    *max = highest(most);
    const f32x16 m = f_set(*max);
    f32x16 lanes = f_set(0);
    for (size_t i = 0; i < whole; i += LANES) {
        f32x16 e = f_exp(f_sub(f_load(p + i), m));
        lanes = f_add(lanes, e);
        if (type == KV_BF16) bf_store((bf_row *)p + i, e); /* never beyond what is read already */
        else f_store(p + i, e);
    }
    return tree(lanes);
}

/* Multiplies the weights of n keys by the scales of V, once for all dimensions. */
static void scale_weights(const struct rows *rows, size_t r0, size_t r1, const float *scales, size_t in_segment, size_t n) {
    for (size_t r = r0; r < r1; r++) {
        float *p = rows->p + r * SEGMENT + in_segment;
        for (size_t i = 0; i < n; i += LANES) f_store(p + i, f_mul(f_load(p + i), f_load(scales + i)));
    }
}

/* Merges the segment into those before it, for rows r0 to n. */
static void merge(const struct rows *rows, size_t r0, size_t n) {
    const struct partial *segment = &rows->segment, *merged = &rows->merged;
    for (size_t r = r0; r < n; r += LANES) { /* beyond the last row is nobody's */
        const f32x16 before = f_load(merged->max + r), max = f_load(segment->max + r), highest = f_max(before, max);
        const f32x16 old = f_exp(f_sub(before, highest)), new = f_exp(f_sub(max, highest));
        f_store(merged->max + r, highest);
        f_store(merged->sum + r, f_fma(f_load(merged->sum + r), old, f_mul(f_load(segment->sum + r), new)));
        float olds[LANES], news[LANES];
        f_store(olds, old);
        f_store(news, new);
        for (size_t i = 0; i < least(LANES, n - r); i++) {
            const float *acc = segment->acc + (r + i) * rows->dims;
            float *out = merged->acc + (r + i) * rows->dims;
            for (size_t d = 0; d < rows->dims; d += LANES)
                f_store(out + d, f_fma(f_load(out + d), f_set(olds[i]), f_mul(f_load(acc + d), f_set(news[i]))));
        }
    }
}

/* What one call reads: of each segment K of its blocks, then their V. */
struct path {
    const uint8_t *pool;
    size_t block_stride;
    const int32_t *blocks;
    size_t count;
    const struct kv_head *kv;
};

INLINE const uint8_t *unit_of(const struct path *path, size_t block) {
    return path->pool + (size_t)path->blocks[block] * path->block_stride;
}

/* The piece at index i counted from the first of a segment's `in_segment` blocks; after the last segment the next head's. */
INLINE const uint8_t *piece(const struct path *path, size_t first, size_t in_segment, size_t i) {
    const struct kv_head *kv = path->kv;
    const size_t after = first + in_segment, last = path->count - 1;
    if (i < in_segment) return unit_of(path, first + i) + kv->keys;
    if (i < 2 * in_segment) return unit_of(path, first + i - in_segment) + kv->values;
    if (after <= last) return unit_of(path, least(after + i - 2 * in_segment, last)) + kv->keys;
    return unit_of(path, least(i - 2 * in_segment, last)) + kv->keys + kv->head_bytes;
}

/*
 * Rows are the query heads of consecutive tokens: row r belongs to token r / group at absolute position
 * position + r / group and sees the keys up to and including its own. blocks are indices of units block_stride bytes
 * apart from pool on.
 */
void EXPORT(attend)(const uint8_t *pool, size_t block_stride, const int32_t *blocks, const struct kv_head *kv,
                  size_t position, size_t tokens, size_t group, float scale, const float *q, size_t q_stride, float *y,
                  size_t y_stride, uint8_t *scratch) {
    const size_t n = tokens * group, dim = (size_t)kv->head_dim, block_tokens = (size_t)kv->block_tokens;
    const size_t pair = kv->type == KV_BF16 ? 2 : 1, tile_rows = kv->type == KV_F32 ? ROWS : WIDENED_ROWS;
    const size_t per_segment = SEGMENT / block_tokens;
    struct rows rows = lay_out(scratch, dim, n);
    const struct partial segment = rows.segment;
    for (size_t r = 0; r < n; r++) {
        rows.sees[r] = position + r / group + 1;
        round_query(kv, &rows, r, (const float *)((const uint8_t *)q + r / group * q_stride) + r % group * dim, scale);
    }

    const size_t last = rows.sees[n - 1];
    const struct path path = {pool, block_stride, blocks, (last + block_tokens - 1) / block_tokens, kv};
    for (size_t from = 0, first = 0; from < last; from += SEGMENT, first += per_segment) {
        const size_t keys = least(SEGMENT, last - from), in_segment = least(per_segment, path.count - first);
        rows.segment = from == 0 ? rows.merged : segment;
        for (size_t b = 0, k = 0; b < in_segment; b++, k += block_tokens) {
            const uint8_t *unit = unit_of(&path, first + b);
            const ptrdiff_t ahead = piece(&path, first, in_segment, b + PIECES_AHEAD) - (unit + kv->keys);
            const size_t panels = padded(least(block_tokens, keys - k), LANES) / LANES;
            if (kv->type == KV_F32) scores_f32(kv, &rows, n, unit, panels, rows.p + k, ahead);
            else if (kv->type == KV_BF16) scores_bf16(kv, &rows, n, unit, panels, rows.p + k, ahead);
            else scores_q8(kv, &rows, n, unit, panels, rows.p + k, ahead);
        }

        size_t first_seeing = 0; /* the first row that sees any key of the segment */
        while (rows.sees[first_seeing] <= from) first_seeing++;
        for (size_t r = first_seeing; r < n; r++) {
            const size_t seen = least(keys, rows.sees[r] - from);
            rows.segment.sum[r] = exponentials(kv->type, rows.p + r * SEGMENT, seen, rows.segment.max + r);
            memset(rows.segment.acc + r * rows.dims, 0, rows.dims * sizeof(float));
        }

        for (size_t b = 0, k = 0; b < in_segment; b++, k += block_tokens) {
            const size_t end = least(keys, k + block_tokens);
            const uint8_t *unit = unit_of(&path, first + b);
            const ptrdiff_t ahead =
                piece(&path, first, in_segment, in_segment + b + PIECES_AHEAD) - (unit + kv->values); /* all K come first */
            if (kv->type == KV_Q8)
                scale_weights(&rows, first_seeing, n, (const float *)(unit + kv->value_scales), k, end - k);
            for (size_t r = first_seeing; r < n; r += tile_rows) {
                const size_t in_tile = least(tile_rows, n - r);
                /* What all rows of the tile see together, then each row's rest alone: unseen keys take no part. In bf16 a
                 * weight of zero for the unseen half of a pair leaves the accumulator as it is. */
                const size_t all_see = least(end, (rows.sees[r] - from) / pair * pair);
                const size_t together = all_see < k ? k : all_see;
                weigh(kv, &rows, r, in_tile, unit, 0, together - k, k, ahead);
                for (size_t i = r; together < end && i < r + in_tile; i++) {
                    const size_t seen = least(end, rows.sees[i] - from);
                    if (together < seen) weigh(kv, &rows, i, 1, unit, together - k, seen - k, together, ahead);
                }
            }
        }
        if (from > 0) merge(&rows, first_seeing, n);
    }

    for (size_t r = 0; r < n; r++) {
        float *out = rows.merged.acc + r * rows.dims;
        const f32x16 total = f_set(rows.merged.sum[r]);
        for (size_t d = 0; d < rows.dims; d += LANES) f_store(out + d, f_div(f_load(out + d), total));
        memcpy((float *)((uint8_t *)y + r / group * y_stride) + r % group * dim, out, dim * sizeof(float));
    }
}

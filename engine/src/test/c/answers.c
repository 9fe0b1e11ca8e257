/*
 * Prints a checksum of what each native kernel answers, for every instruction set of a library that this machine runs:
 * "answers LIBRARY". Inputs are the same everywhere, so the lines of two instruction sets, machines or compilers must be the
 * same but for the first word: KernelAnswersTest compares those of one library, tools/kernel-answers those of several. What
 * the answers have to be, the other tests in Java say.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kv_head.h"

enum { LANES = 16, GROUP = 32, PANELS = 5, MOST_ROWS = 40, MOST_COLUMNS = 1280 };

static const struct instruction_set {
    const char *name;
    uint32_t levels; /* as levels.c numbers them */
} INSTRUCTION_SETS[] = {{"amx", 0x1f}, {"avx512bf16", 0x0f}, {"avx512vnni", 0x07}, {"avx512", 0x03}, {"avx2", 0x01},
                        {"i8mm", 0x700}, {"dotprod", 0x300}, {"neon", 0x100}};

enum scales { PLAIN, WITH_OFFSETS, NESTED_WITH_MINS, NESTED_HALVES };

static const struct format {
    const char *name;
    int bits;
    enum scales scales;
} FORMATS[] = {{"q8", 8, PLAIN},          {"q4_0", 4, PLAIN},           {"q4_1", 4, WITH_OFFSETS},
               {"q5_0", 5, PLAIN},        {"q5_1", 5, WITH_OFFSETS},    {"iq4_nl", 4, PLAIN},
               {"q4_k", 4, NESTED_WITH_MINS}, {"q5_k", 5, NESTED_WITH_MINS}, {"q6_k", 6, NESTED_HALVES}};

static const size_t ROWS[] = {1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 17, 33, MOST_ROWS};

#define EACH(i, array) for (size_t i = 0; i < sizeof(array) / sizeof *(array); i++)

static uint64_t state;

static uint32_t next(void) { /* Steele, Lea, Flood: SplitMix64 */
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)(z >> 32);
}

static float value(void) { return (float)((int32_t)next() >> 8) * 0x1p-22f; } /* exact, within two of zero */

static void *memory(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p) exit(2);
    return memset(p, 0, (bytes + 63) / 64 * 64);
}

static void *library;
static const char *isa;

static void *function(const char *name) {
    char symbol[64];
    snprintf(symbol, sizeof symbol, "baton_%s_%s", isa, name);
    void *f = dlsym(library, symbol);
    if (!f) fprintf(stderr, "answers: no %s\n", symbol), exit(2);
    return f;
}

static void answer(const char *kernel, size_t a, size_t b, const void *bytes, size_t count) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < count; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    printf("%s %s %zu %zu %016llx\n", isa, kernel, a, b, (unsigned long long)hash);
}

static float *values(size_t n) {
    float *x = memory(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = value();
    return x;
}

typedef void product(const void *w, size_t k, const void *x, size_t rows, size_t ldx, float *y, size_t ldy, size_t from,
                     size_t to);

/* All panels but the first, so that a range that begins in the middle is seen too. */
static void products(const char *name, size_t columns, size_t k, const void *w, const void *x, size_t ldx) {
    char symbol[32];
    snprintf(symbol, sizeof symbol, "product_%s", name);
    product *f = (product *)function(symbol);
    EACH(i, ROWS) {
        float *y = memory(ROWS[i] * PANELS * LANES * sizeof *y);
        f(w, k, x, ROWS[i], ldx, y, PANELS * LANES, 1, PANELS);
        answer(name, columns, ROWS[i], y, ROWS[i] * PANELS * LANES * sizeof *y);
        free(y);
    }
}

static uint16_t small_half(void) { return (uint16_t)(0x2800 | (next() & 0x87ff)); }

static void quantised(const struct format *format, size_t columns) {
    const int nested = format->scales >= NESTED_WITH_MINS;
    const size_t block_groups = nested ? 8 : 2, groups = columns / GROUP;
    const size_t scale_bytes = nested ? 320 : format->scales == WITH_OFFSETS ? 128 : 64;
    const size_t block_bytes = scale_bytes + block_groups * (size_t)format->bits * GROUP * LANES / 8;
    const size_t blocks = PANELS * ((groups + block_groups - 1) / block_groups);
    uint8_t *w = memory(blocks * block_bytes);
    for (size_t b = 0; b < blocks; b++) {
        uint8_t *block = w + b * block_bytes;
        for (size_t i = 0; i < block_bytes; i++) block[i] = (uint8_t)next();
        for (size_t i = 0; i < (nested ? 64 : scale_bytes) / 2; i++) ((uint16_t *)block)[i] = small_half();
        if (format->scales == NESTED_WITH_MINS)
            for (size_t i = 64; i < scale_bytes; i++) block[i] &= 63;
    }
    const size_t ldx = columns + groups * 6 * sizeof(float);
    float *x = values(MOST_ROWS * columns);
    int8_t *rounded = memory(MOST_ROWS * ldx);
    void (*round_q8)(const float *, size_t, int8_t *) = function("round_q8");
    for (size_t r = 0; r < MOST_ROWS; r++) round_q8(x + r * columns, groups, rounded + r * ldx);
    answer("round_q8", columns, MOST_ROWS, rounded, MOST_ROWS * ldx);
    products(format->name, columns, groups, w, rounded, ldx);
    free(w), free(x), free(rounded);
}

static void floats(size_t columns) {
    float *w = values(PANELS * LANES * columns), *x = values(MOST_ROWS * columns);
    products("f32", columns, columns, w, x, columns);

    const size_t element = (size_t)((int64_t(*)(void))function("bf16_bytes"))();
    uint8_t *rounded = memory(MOST_ROWS * columns * element);
    void (*round_bf16)(const float *, size_t, void *) = function("round_bf16");
    for (size_t r = 0; r < MOST_ROWS; r++) round_bf16(x + r * columns, columns, rounded + r * columns * element);
    uint16_t *halves = memory(PANELS * LANES * columns * sizeof *halves);
    for (size_t i = 0; i < PANELS * LANES * columns; i++) halves[i] = (uint16_t)((0x3c00 | (next() & 0x83ff)));
    products("bf16", columns, columns, halves, rounded, columns);
    free(w), free(x), free(rounded), free(halves);
}

static void rows(size_t n) {
    float *x = values(n), *y = values(n), *turn = values(n), *z = memory(n * sizeof *z);
    float sum = ((float (*)(const float *, size_t))function("sum_of_squares"))(x, n);
    answer("sum_of_squares", n, 0, &sum, sizeof sum);
    ((void (*)(const float *, const float *, size_t, float, float, float *))function("normalize"))(x, y, n, sum, 1e-5f, z);
    answer("normalize", n, 0, z, n * sizeof *z);
    ((void (*)(float *, const float *, size_t))function("add"))(x, y, n);
    answer("add", n, 0, x, n * sizeof *x);
    for (size_t i = 0; i < n; i++) z[i] = 20 * x[i];
    ((void (*)(float *, const float *, size_t))function("gate"))(z, y, n);
    answer("gate", n, 0, z, n * sizeof *z);
    ((void (*)(float *, const float *, size_t))function("rotate"))(x, turn, n / 2 - 1);
    answer("rotate", n, 0, x, n * sizeof *x);
    free(x), free(y), free(z), free(turn);
}

static const char *const KV_NAMES[] = {"attend_f32", "attend_bf16", "attend_q8"};

static void attention(enum kv_type type, size_t head_dim, size_t position, size_t tokens, size_t group) {
    enum { BLOCK_TOKENS = 32 };
    const size_t element = type == KV_F32 ? 4 : type == KV_BF16 ? 2 : 1;
    const size_t together = 4 / element, key_dims = (head_dim + together - 1) / together * together;
    const size_t value_dims = (head_dim + LANES - 1) / LANES * LANES;
    struct kv_head kv = {.type = type, .block_tokens = BLOCK_TOKENS, .head_dim = (int64_t)head_dim};
    kv.key_panel = (int64_t)(key_dims * LANES * element);
    kv.value_panel = (int64_t)(BLOCK_TOKENS * LANES * element);
    kv.values = BLOCK_TOKENS / LANES * kv.key_panel;
    kv.key_scales = kv.values + (int64_t)(value_dims / LANES) * kv.value_panel;
    kv.value_scales = kv.key_scales + BLOCK_TOKENS * (int64_t)sizeof(float);
    kv.head_bytes = kv.key_scales + (type == KV_Q8 ? 2 * BLOCK_TOKENS * (int64_t)sizeof(float) : 0);
    const size_t blocks = (position + tokens + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
    int32_t *table = memory(blocks * sizeof *table);
    uint8_t *pool = memory((blocks + 1) * (size_t)kv.head_bytes);
    for (size_t b = 0; b < blocks; b++) {
        table[b] = (int32_t)(blocks - 1 - b);
        uint8_t *unit = pool + b * (size_t)kv.head_bytes;
        for (size_t i = 0; i < (size_t)kv.key_scales / element; i++) {
            if (type == KV_F32) ((float *)unit)[i] = value();
            else if (type == KV_BF16) ((uint16_t *)unit)[i] = (uint16_t)(0x3c00 | (next() & 0x83ff));
            else unit[i] = (uint8_t)((int32_t)(next() >> 8) % 255 - 127);
        }
        for (size_t i = 0; type == KV_Q8 && i < 2 * BLOCK_TOKENS; i++)
            ((float *)(unit + kv.key_scales))[i] = 0x1p-7f + value() * 0x1p-12f;
    }
    const size_t n = tokens * group, stride = group * head_dim * sizeof(float);
    float *q = values(n * head_dim), *y = memory(n * head_dim * sizeof *y);
    uint8_t *scratch = memory(((size_t(*)(size_t, size_t))function("attention_scratch"))(head_dim, n));
    ((void (*)(const uint8_t *, size_t, const int32_t *, const struct kv_head *, size_t, size_t, size_t, float, const float *,
               size_t, float *, size_t, uint8_t *))function("attend"))(pool, (size_t)kv.head_bytes, table, &kv, position,
                                                                       tokens, group, 0.125f, q, stride, y, stride, scratch);
    answer(KV_NAMES[type], position, n, y, n * head_dim * sizeof *y);
    free(table), free(pool), free(q), free(y), free(scratch);
}

static void all(void) {
    state = 1;
    EACH(i, FORMATS) {
        quantised(FORMATS + i, 256);
        quantised(FORMATS + i, MOST_COLUMNS);
        if (FORMATS[i].scales < NESTED_WITH_MINS) quantised(FORMATS + i, 96);
    }
    floats(2);
    floats(MOST_COLUMNS);
    rows(32);
    rows(2048);
    for (int type = KV_F32; type <= KV_Q8; type++) {
        attention(type, 64, 0, 1, 4);
        attention(type, 64, 300, 1, 4);
        attention(type, 128, 511, 1, 1);
        attention(type, 40, 250, 9, 2);
        attention(type, 64, 17, 6, 4);
    }
}

int main(int count, char **arguments) {
    library = count == 2 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (!library) return fprintf(stderr, "usage: answers LIBRARY\n%s\n", count == 2 ? dlerror() : ""), 2;
    uint32_t (*levels)(void) = dlsym(library, "baton_levels");
    EACH(i, INSTRUCTION_SETS) {
        char symbol[64];
        isa = INSTRUCTION_SETS[i].name;
        snprintf(symbol, sizeof symbol, "baton_%s_product_q8", isa);
        if (dlsym(library, symbol) && (levels() & INSTRUCTION_SETS[i].levels) == INSTRUCTION_SETS[i].levels) all();
    }
    return 0;
}

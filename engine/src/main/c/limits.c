/*
 * What this machine can do at most, one thread each: loops that only read, or only multiply and add in registers. Each
 * function does a fixed amount of work per iteration and returns it in operations (or bytes); the caller holds the clock.
 */
#include "dots.h"

/* Independent chains: enough to hide the latency of an FMA, few enough that all stay in registers. */
#if defined(__AVX512F__)
#define CHAINS 12
#else
#define CHAINS 6
#endif

#if defined(__AMX_INT8__)
#include "amx.h"
#endif

#define STREAM_STEP 256
#define STREAM_AHEAD 1024 /* bytes */
#define MOST_STREAMS 4

/* Whole lines, in order, from one place or from several in turn. */
INLINE int64_t read_streams(const int streams, const uint8_t *memory, size_t bytes) {
    const size_t part = bytes / (size_t)streams / STREAM_STEP * STREAM_STEP;
    i32x16 seen[MOST_STREAMS];
    UNROLL for (int s = 0; s < streams; s++) seen[s] = i_set(0);
    for (size_t i = 0; i < part; i += STREAM_STEP)
        UNROLL for (int s = 0; s < streams; s++)
            UNROLL for (size_t j = 0; j < STREAM_STEP; j += 64) {
                const uint8_t *line = memory + (size_t)s * part + i + j;
                if (streams > 1) ASK(line + STREAM_AHEAD);
                seen[s] = i_xor(seen[s], i_load(line));
            }
    int32_t sink[LANES];
    UNROLL for (int s = 0; s < streams; s++) {
        i_store(sink, seen[s]);
        __asm__ volatile("" ::"m"(sink));
    }
    return (int64_t)((size_t)streams * part);
}

/* Bytes read. Which of the two is faster depends on the processor and on how many of its cores read. */
int64_t EXPORT(limit_read_one)(const uint8_t *memory, size_t bytes) { return read_streams(1, memory, bytes); }
int64_t EXPORT(limit_read_four)(const uint8_t *memory, size_t bytes) { return read_streams(4, memory, bytes); }

/* Lanes the compiler knows nothing of: where it sees equal halves it computes one of them only. */
static f32x16 unknown(float first) {
    float lanes[LANES];
    for (int i = 0; i < LANES; i++) lanes[i] = first + 0.125f * (float)i;
    __asm__ volatile("" : "+m"(lanes));
    return f_load(lanes);
}

int64_t EXPORT(limit_f32)(size_t iterations) {
    f32x16 acc[CHAINS], w = f_set(0.5f), x = f_set(0.25f);
    UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = unknown((float)c);
    for (size_t i = 0; i < iterations; i++)
        UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = f_fma(acc[c], w, x);
    float sink[LANES];
    UNROLL for (int c = 0; c < CHAINS; c++) {
        f_store(sink, acc[c]);
        __asm__ volatile("" ::"m"(sink));
    }
    return (int64_t)iterations * CHAINS * LANES * 2;
}

int64_t EXPORT(limit_bf16)(size_t iterations) {
#if BF16_WIDENED
    return EXPORT(limit_f32)(iterations);
#else
    static const bf_row one[2] = {0x3f80, 0x3f80};
    f32x16 acc[CHAINS];
    uint16_t ones[2 * LANES];
    for (int i = 0; i < 2 * LANES; i++) ones[i] = one[0];
    UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = unknown((float)c);
    for (size_t i = 0; i < iterations; i++)
        UNROLL for (int c = 0; c < CHAINS; c++) bf_pair(1, 1, ones, 0, one, 0, acc + c, 1);
    float sink[LANES];
    UNROLL for (int c = 0; c < CHAINS; c++) {
        f_store(sink, acc[c]);
        __asm__ volatile("" ::"m"(sink));
    }
    return (int64_t)iterations * CHAINS * LANES * 4;
#endif
}

/* The fewest instructions that add the products of four int8 pairs per lane, exactly: where there is no such instruction,
 * pairs to 16 bits, fours to 32, and the sum. What a kernel does beyond that, for signs say, it does beyond the limit. */
#if !defined(__AMX_INT8__)
#if defined(__AVX512BW__) && !defined(__AVX512VNNI__)
INLINE i32x16 pairs512(i32x16 w, i32x16 x) { /* asm, or the compiler would see that each round computes the same */
    __m512i pairs;
    __asm__ volatile("vpmaddubsw %2, %1, %0" : "=v"(pairs) : "v"(w), "v"(x));
    return pairs;
}
INLINE i32x16 int8_dot(i32x16 acc, i32x16 w, i32x16 x) {
    return _mm512_add_epi32(acc, _mm512_madd_epi16(pairs512(w, x), _mm512_set1_epi16(1)));
}
INLINE i32x16 pair_dot(i32x16 acc, i32x16 w, i32x16 x) { return _mm512_add_epi16(acc, pairs512(w, x)); }
#elif defined(__AVX2__) && !defined(__AVX512F__)
INLINE __m256i pairs256(__m256i w, __m256i x) {
    __m256i pairs;
    __asm__ volatile("vpmaddubsw %2, %1, %0" : "=x"(pairs) : "x"(w), "x"(x));
    return pairs;
}
INLINE __m256i int8_dot256(__m256i acc, __m256i w, __m256i x) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs256(w, x), _mm256_set1_epi16(1)));
}
INLINE i32x16 pair_dot(i32x16 acc, i32x16 w, i32x16 x) {
    return (i32x16){_mm256_add_epi16(acc.l, pairs256(w.l, x.l)), _mm256_add_epi16(acc.h, pairs256(w.h, x.h))};
}
INLINE i32x16 int8_dot(i32x16 acc, i32x16 w, i32x16 x) {
    return (i32x16){int8_dot256(acc.l, w.l, x.l), int8_dot256(acc.h, w.h, x.h)};
}
#else
INLINE i32x16 int8_dot(i32x16 acc, i32x16 w, i32x16 x) {
#if !defined(__AVX512F__)
    UNROLL for (int i = 0; i < 4; i++) __asm__ volatile("" : "+w"(x.v[i]));
#endif
    return q8_dot(acc, w, x);
}
#endif
#endif

int64_t EXPORT(limit_int8)(size_t iterations) {
#if defined(__AMX_INT8__)
    uint8_t ones[16 * 64];
    memset(ones, 1, sizeof ones);
    configure_whole_tiles();
    __asm__ volatile("" ::"m"(ones)); /* GCC 12's tile loads do not name the memory that they read */
    _tile_loadd(4, ones, 64);
    _tile_loadd(6, ones, 64);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t i = 0; i < iterations / 8; i++) {
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 6);
        _tile_dpbssd(2, 4, 6);
        _tile_dpbssd(3, 4, 6);
    }
    _tile_release();
    return (int64_t)(iterations / 8) * 4 * 16 * 16 * 64 * 2;
#else
    i32x16 acc[CHAINS], w = i_set(0x01010101), x = i_set(0x01010101);
    UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = f_bits(unknown((float)c));
    for (size_t i = 0; i < iterations; i++)
        UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = int8_dot(acc[c], w, x);
    int32_t sink[LANES];
    UNROLL for (int c = 0; c < CHAINS; c++) {
        i_store(sink, acc[c]);
        __asm__ volatile("" ::"m"(sink));
    }
    return (int64_t)iterations * CHAINS * LANES * 8;
#endif
}

/* The same for weights of at most six bits: pairs of products are summed in 16 bits, and widened too rarely to count. */
int64_t EXPORT(limit_int8_narrow)(size_t iterations) {
#if defined(__AVX2__) && !defined(__AVX512VNNI__)
    i32x16 acc[CHAINS], w = i_set(0x01010101), x = i_set(0x01010101);
    UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = f_bits(unknown((float)c));
    for (size_t i = 0; i < iterations; i++)
        UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = pair_dot(acc[c], w, x);
    int32_t sink[LANES];
    UNROLL for (int c = 0; c < CHAINS; c++) {
        i_store(sink, acc[c]);
        __asm__ volatile("" ::"m"(sink));
    }
    return (int64_t)iterations * CHAINS * LANES * 8;
#else
    return EXPORT(limit_int8)(iterations);
#endif
}

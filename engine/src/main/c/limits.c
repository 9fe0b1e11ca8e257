/*
 * What this machine can do at most, one thread each: loops that only read, or only multiply and add in registers. Each
 * function does a fixed amount of work per iteration and returns it in operations (or bytes); the caller holds the clock.
 */
#include "dots.h"

#define CHAINS 12
#if defined(__AMX_INT8__)
#include "amx.h"
#endif

/* Bytes read; whole lines, in order. */
int64_t EXPORT(limit_read)(const uint8_t *memory, size_t bytes) {
    i32x16 seen = i_set(0);
    for (size_t i = 0; i + 256 <= bytes; i += 256)
        UNROLL for (size_t j = 0; j < 256; j += 64) seen = i_xor(seen, i_load(memory + i + j));
    int32_t sink[LANES];
    i_store(sink, seen);
    __asm__ volatile("" ::"m"(sink));
    return (int64_t)(bytes / 256 * 256);
}

int64_t EXPORT(limit_f32)(size_t iterations) {
    f32x16 acc[CHAINS], w = f_set(0.5f), x = f_set(0.25f);
    UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = f_set((float)c);
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
    static const uint16_t one[2] = {0x3f80, 0x3f80};
    f32x16 acc[CHAINS];
    uint16_t ones[2 * LANES];
    for (int i = 0; i < 2 * LANES; i++) ones[i] = one[0];
    bf_pairs w = bf_load(ones);
    bf_scalar x = bf_set(one);
    UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = f_set(0);
    for (size_t i = 0; i < iterations; i++)
        UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = bf_dot(w, x, acc[c]);
    float sink[LANES];
    UNROLL for (int c = 0; c < CHAINS; c++) {
        f_store(sink, acc[c]);
        __asm__ volatile("" ::"m"(sink));
    }
    return (int64_t)iterations * CHAINS * LANES * 4;
}

int64_t EXPORT(limit_int8)(size_t iterations) {
#if defined(__AMX_INT8__)
    uint8_t ones[16 * 64];
    memset(ones, 1, sizeof ones);
    configure_whole_tiles();
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
    UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = i_set(0);
    for (size_t i = 0; i < iterations; i++)
        UNROLL for (int c = 0; c < CHAINS; c++) acc[c] = q8_dot(acc[c], w, x);
    int32_t sink[LANES];
    UNROLL for (int c = 0; c < CHAINS; c++) {
        i_store(sink, acc[c]);
        __asm__ volatile("" ::"m"(sink));
    }
    return (int64_t)iterations * CHAINS * LANES * 8;
#endif
}

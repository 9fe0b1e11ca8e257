package io.baton.bench;

/**
 * One measured figure of the engine.
 *
 * @param test {@code pp512} (prefill of 512 tokens), {@code tg128} (decode), {@code tg64@2048} (at depth),
 *     {@code tg64b8} (eight sequences together), {@code attn@2048} (attention of one token alone, all layers)
 * @param tokensPerSecond median over repetitions, all sequences together
 * @param lowest the slowest repetition's tokens per second
 * @param highest the fastest repetition's
 * @param bytesPerSecond weights and cached K and V that had to be read, over the time it took
 * @param operationsPerSecond multiplications and additions that had to be done, over the time it took
 * @param limit which limit of the machine binds: {@code int8}, {@code bf16}, {@code f32} or {@code read};
 *     {@code unknown} where none could be measured
 * @param fractionOfLimit the least time the machine needs by that limit over the time taken, median over repetitions, 0
 *     to 1; 0 where no limit is known
 */
public record BenchmarkRow(
        String test,
        double tokensPerSecond,
        double lowest,
        double highest,
        double bytesPerSecond,
        double operationsPerSecond,
        String limit,
        double fractionOfLimit) {}

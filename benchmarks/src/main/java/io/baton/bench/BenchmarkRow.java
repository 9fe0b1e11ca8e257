package io.baton.bench;

/**
 * One measured figure of the engine.
 *
 * @param test {@code pp512} (prefill of 512 tokens), {@code tg128} (decode), {@code tg64@2048} (at depth),
 *     {@code tg64b8} (batched)
 * @param quant what the weights are packed as
 * @param tokensPerSecond median over repetitions, all sequences together
 * @param limit which limit of the machine bounds this: {@code int8}, {@code bf16}, {@code f32} or {@code read}
 * @param fractionOfLimit achieved rate over that limit, 0 to 1; 0 where the limit is not known
 * @param rate achieved operations (or bytes) per second
 */
public record BenchmarkRow(
        String test,
        String quant,
        String kernels,
        int threads,
        double tokensPerSecond,
        double fractionOfLimit,
        String limit,
        double rate,
        double lowest,
        double highest) {}

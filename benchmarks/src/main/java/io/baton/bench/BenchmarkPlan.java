package io.baton.bench;

import io.baton.engine.ActivationMode;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What to measure: prefill of every length, and decode steps for every depth with every batch.
 *
 * @param activations empty lets the model file decide
 * @param promptTokens prefill lengths; none for no prefill
 * @param decodeTokens decode steps; 0 for no decode
 * @param depths tokens already cached before decode steps; 0 for none
 * @param batches sequences decoded together
 * @param chunkTokens rows of a prefill chunk
 * @param warmUp how long each measurement is run before it counts, at least once: Java's compiler has caught up by then
 * @param repetitions measurements of each, of which the median counts
 */
public record BenchmarkPlan(
        Optional<ActivationMode> activations,
        KernelChoice kernels,
        KvType kv,
        int threads,
        List<Integer> promptTokens,
        int decodeTokens,
        List<Integer> depths,
        List<Integer> batches,
        int chunkTokens,
        Duration warmUp,
        int repetitions) {

    /** Far more than any host has or serves; what is above is a typing error. */
    private static final int MOST = 1 << 20;

    /** @throws IllegalArgumentException naming what is out of range */
    public BenchmarkPlan {
        promptTokens = List.copyOf(promptTokens);
        depths = List.copyOf(depths);
        batches = List.copyOf(batches);
        require("threads", 1, List.of(threads));
        require("prompt tokens", 1, promptTokens);
        require("decode tokens", 0, List.of(decodeTokens));
        require("depth", 0, depths);
        require("batch", 1, batches);
        require("chunk tokens", 1, List.of(chunkTokens));
        require("repetitions", 1, List.of(repetitions));
        if (warmUp.isNegative()) {
            throw new IllegalArgumentException("warm-up: expected 0 or more, found " + warmUp);
        }
    }

    private static void require(String name, int least, List<Integer> values) {
        for (int value : values) {
            if (value < least || value > MOST) {
                throw new IllegalArgumentException(
                        "%s: expected %d to %d, found %d".formatted(name, least, MOST, value));
            }
        }
    }

    /** The longest sequence any measurement needs. */
    int longestSequence() {
        int decode = decodeTokens == 0
                ? 0
                : depths.stream()
                        .mapToInt(depth -> depth + decodeTokens + 1)
                        .max()
                        .orElse(0);
        return Stream.concat(promptTokens.stream(), Stream.of(decode))
                .mapToInt(Integer::intValue)
                .max()
                .orElse(0);
    }
}

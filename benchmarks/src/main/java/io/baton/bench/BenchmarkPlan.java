package io.baton.bench;

import io.baton.engine.ActivationMode;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import java.util.List;
import java.util.Optional;

/**
 * What to measure.
 *
 * @param promptTokens prefill lengths
 * @param decodeTokens decode steps
 * @param depths tokens already cached before decode steps; 0 for none
 * @param batches sequences decoded together
 * @param chunkTokens rows of a prefill chunk
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
        int repetitions) {

    public BenchmarkPlan {
        promptTokens = List.copyOf(promptTokens);
        depths = List.copyOf(depths);
        batches = List.copyOf(batches);
        if (repetitions < 1) {
            throw new IllegalArgumentException("repetitions must be at least 1, found " + repetitions);
        }
    }
}

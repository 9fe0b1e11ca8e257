package io.baton.bench;

import io.baton.engine.ActivationMode;
import io.baton.engine.KvType;

/**
 * What was measured, the same for all rows of a run.
 *
 * @param model the model's own name
 * @param quant the type most of the file's weights are stored as, in lower case
 * @param kernels what computed
 * @param fileBytes of the weights as stored
 * @param loadSeconds from opening the file to packed weights
 * @param residentBytes memory of the process after loading, the file closed; 0 where the system does not say
 */
public record BenchmarkSubject(
        String model,
        String quant,
        ActivationMode activations,
        KvType kv,
        String kernels,
        int threads,
        long fileBytes,
        double loadSeconds,
        long residentBytes) {}

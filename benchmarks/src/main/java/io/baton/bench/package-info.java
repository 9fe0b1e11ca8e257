/**
 * Measurements. {@link io.baton.bench.EngineBenchmark} runs prefill, decode and batched decode of a model and sets each
 * figure against what {@link io.baton.bench.MachineLimits} measured in the same run, reads
 * ({@link io.baton.bench.MemoryReads}) around each part of it; {@link io.baton.bench.SyntheticModel} writes models of
 * known shapes with random weights. The thread that calls does the work, with the engine's compute team.
 */
@NullMarked
package io.baton.bench;

import org.jspecify.annotations.NullMarked;

package io.baton.engine;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * What all engines of a process share.
 *
 * @param activations empty lets the model file decide: quantised weights q8, BF16 bf16, F32 and F16 f32
 * @param threads compute threads, the scheduler's included
 * @param memoryLimit bytes the process may take; empty takes the container's or the machine's limit
 */
public record HostOptions(
        Optional<ActivationMode> activations, KernelChoice kernels, int threads, OptionalLong memoryLimit) {

    public HostOptions {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, found " + threads);
        }
    }

    /** All processors; the rest as found. */
    public static HostOptions defaults() {
        return new HostOptions(
                Optional.empty(), KernelChoice.AUTO, Runtime.getRuntime().availableProcessors(), OptionalLong.empty());
    }
}

package io.baton.engine.kernel;

import io.baton.engine.KernelChoice;

/** Chooses the kernels, once per process. */
public final class KernelProvider {

    private KernelProvider() {}

    public static Kernels of(KernelChoice choice) {
        return switch (choice) {
            case SCALAR -> new ScalarKernels();
            case AUTO, VECTOR -> new VectorKernels();
        };
    }
}

package io.baton.engine.kernel;

import io.baton.engine.EngineException;
import io.baton.engine.KernelChoice;
import jdk.incubator.vector.FloatVector;

/** Chooses the kernels, once per process. */
public final class KernelProvider {

    private KernelProvider() {}

    /** @throws EngineException when native kernels are asked for and there are none */
    public static Kernels of(KernelChoice choice) {
        return switch (choice) {
            case AUTO -> fastest();
            case SCALAR -> new ScalarKernels();
            case VECTOR -> new VectorKernels();
            case NATIVE ->
                NativeKernels.all().stream()
                        .findFirst()
                        .orElseThrow(() -> new EngineException(
                                EngineException.Kind.UNAVAILABLE,
                                "no native kernels: %s; choose auto, vector or scalar"
                                        .formatted(NativeKernels.whyNone())));
        };
    }

    private static Kernels fastest() {
        return NativeKernels.all().stream()
                .<Kernels>map(kernels -> kernels)
                .findFirst()
                .orElseGet(() -> registers() ? new VectorKernels() : new ScalarKernels());
    }

    /** Without vector registers the JVM emulates vectors object by object, and plain Java is much faster. */
    private static boolean registers() {
        return FloatVector.SPECIES_PREFERRED.vectorBitSize() >= Lanes.F32.vectorBitSize();
    }
}

package io.baton.engine.kernel;

import io.baton.engine.EngineException;
import io.baton.engine.KernelChoice;
import java.util.List;
import java.util.stream.Collectors;
import jdk.incubator.vector.FloatVector;

/** Chooses kernels. Stateless; any thread. */
public final class KernelProvider {

    /**
     * The kernels that compute.
     *
     * @param why these, for people: what was asked for, or what the machine has and has not
     */
    public record Choice(Kernels kernels, String why) {}

    private KernelProvider() {}

    /** @throws EngineException when native kernels are asked for and there are none */
    public static Kernels of(KernelChoice choice) {
        return choose(choice).kernels();
    }

    /** @throws EngineException when native kernels are asked for and there are none */
    public static Choice choose(KernelChoice choice) {
        return switch (choice) { // who asks for Java gets no native code loaded
            case SCALAR -> new Choice(new ScalarKernels(), "asked for");
            case VECTOR -> new Choice(new VectorKernels(), "asked for");
            case NATIVE -> best(NativeKernels.all(), NativeKernels.whyNone());
            case AUTO ->
                fastest(NativeKernels.all(), NativeKernels.whyNone(), FloatVector.SPECIES_PREFERRED.vectorBitSize());
        };
    }

    /**
     * @param natives best first
     * @param whyNone why there are no native ones
     */
    static Choice best(List<NativeKernels> natives, String whyNone) {
        if (natives.isEmpty()) {
            throw new EngineException(
                    EngineException.Kind.UNAVAILABLE,
                    "no native kernels: %s; choose auto, vector or scalar".formatted(whyNone));
        }
        return new Choice(natives.getFirst(), "asked for; " + bestOf(natives));
    }

    /** @param registerBits of the vectors that the JVM has instructions for */
    static Choice fastest(List<NativeKernels> natives, String whyNone, int registerBits) {
        if (!natives.isEmpty()) {
            return new Choice(natives.getFirst(), bestOf(natives));
        }
        int wanted = Lanes.F32.vectorBitSize();
        // Without vector registers the JVM emulates vectors object by object, and plain Java is much faster.
        return registerBits >= wanted
                ? new Choice(new VectorKernels(), "no native ones: " + whyNone)
                : new Choice(
                        new ScalarKernels(),
                        "no native ones: %s; and vectors of %d bits, where this JVM has instructions for %d"
                                .formatted(whyNone, wanted, registerBits));
    }

    private static String bestOf(List<NativeKernels> natives) {
        return natives.stream()
                .map(Kernels::name)
                .collect(Collectors.joining(", ", "the best this machine runs of ", ""));
    }
}

package io.baton.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/**
 * Loops that show what one thread of this machine can do at most; the caller holds the clock and runs one per thread.
 * Each returns the work it did: bytes, or operations (a multiply and an add are two).
 */
public final class MachineProbe {

    private final String instructionSet;
    private final MethodHandle readOne;
    private final MethodHandle readFour;
    private final MethodHandle f32;
    private final MethodHandle bf16;
    private final MethodHandle int8;
    private final MethodHandle int8Narrow;

    private MachineProbe(NativeLibrary library, String instructionSet) {
        this.instructionSet = instructionSet;
        FunctionDescriptor one = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG);
        FunctionDescriptor two = FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG);
        readOne = library.function(instructionSet, "limit_read_one", two);
        readFour = library.function(instructionSet, "limit_read_four", two);
        f32 = library.function(instructionSet, "limit_f32", one);
        bf16 = library.function(instructionSet, "limit_bf16", one);
        int8 = library.function(instructionSet, "limit_int8", one);
        int8Narrow = library.function(instructionSet, "limit_int8_narrow", one);
    }

    /** One for each instruction set that this machine runs, best first; empty where there are no native kernels. */
    static List<MachineProbe> all() {
        if (NativeLibrary.load() instanceof NativeLibrary.Loading.Loaded(NativeLibrary library)) {
            return library.instructionSets().stream()
                    .map(set -> new MachineProbe(library, set))
                    .toList();
        }
        return List.of();
    }

    /** With the best instructions of this machine; empty where there are no native kernels. */
    public static Optional<MachineProbe> best() {
        return all().stream().findFirst();
    }

    String instructionSet() {
        return instructionSet;
    }

    /** Reads memory from its beginning to its end. */
    public long readInOrder(long address, long bytes) {
        return read(readOne, address, bytes);
    }

    /** Reads four parts of it in turn. */
    public long readInParts(long address, long bytes) {
        return read(readFour, address, bytes);
    }

    private static long read(MethodHandle loop, long address, long bytes) {
        try {
            return (long) loop.invokeExact(address, bytes);
        } catch (Throwable t) {
            throw NativeKernels.failed(t);
        }
    }

    public long f32(long iterations) {
        return run(f32, iterations);
    }

    public long bf16(long iterations) {
        return run(bf16, iterations);
    }

    public long int8(long iterations) {
        return run(int8, iterations);
    }

    /** Operands so small that pairs of products may be summed in 16 bits for a while. */
    public long int8Narrow(long iterations) {
        return run(int8Narrow, iterations);
    }

    private static long run(MethodHandle loop, long iterations) {
        try {
            return (long) loop.invokeExact(iterations);
        } catch (Throwable t) {
            throw NativeKernels.failed(t);
        }
    }
}

package io.baton.bench;

import io.baton.engine.kernel.MachineProbe;
import java.util.Optional;

/** What this machine can do at most with a number of threads, measured. Used by one thread. */
public final class MachineLimits {

    private static final long ITERATIONS = 4_000_000;

    private final MachineProbe probe;
    private final int threads;
    private final double readBytesPerSecond;
    private double f32;
    private double bf16;
    private double int8;
    private double int8Narrow;

    private MachineLimits(MachineProbe probe, int threads) {
        this.probe = probe;
        this.threads = threads;
        measureOperations();
        try (MemoryReads reads = reads(Double.MAX_VALUE)) {
            readBytesPerSecond = reads.perSecond();
        }
    }

    /** Takes about a second; empty where there are no native kernels to measure with. */
    public static Optional<MachineLimits> measure(int threads) {
        return MachineProbe.best().map(probe -> new MachineLimits(probe, threads));
    }

    /** Measures operations once more; limits only rise. */
    void measureOperations() {
        try (ProbeTeam team = new ProbeTeam(threads)) {
            f32 = Math.max(f32, team.best(i -> probe.f32(ITERATIONS)));
            // A kernel may widen bf16 and multiply in f32, and on some processors that is the faster way.
            bf16 = Math.max(Math.max(bf16, f32), team.best(i -> probe.bf16(ITERATIONS)));
            int8 = Math.max(int8, team.best(i -> probe.int8(ITERATIONS)));
            int8Narrow = Math.max(Math.max(int8Narrow, int8), team.best(i -> probe.int8Narrow(ITERATIONS)));
        }
    }

    public int threads() {
        return threads;
    }

    /** A multiplication and an addition are two operations; in int8 with matrix tiles where the processor has them. */
    public double operationsPerSecond(Multiplication type) {
        return switch (type) {
            case F32 -> f32;
            case BF16 -> bf16;
            case INT8 -> int8;
            case INT8_NARROW -> int8Narrow;
        };
    }

    /** Reads of memory beyond every cache, as fast as they were in the beginning. */
    public double readBytesPerSecond() {
        return readBytesPerSecond;
    }

    /** Measures reads of this many bytes whenever it is asked; to be closed. */
    MemoryReads reads(double workingSet) {
        return new MemoryReads(probe, threads, workingSet);
    }

    /** One line for people. */
    public String describe() {
        return "read %.1f GB/s, f32 %.0f GFLOP/s, bf16 %.0f GFLOP/s, int8 %.0f GOP/s (%.0f in 16-bit sums)"
                .formatted(readBytesPerSecond / 1e9, f32 / 1e9, bf16 / 1e9, int8 / 1e9, int8Narrow / 1e9);
    }
}

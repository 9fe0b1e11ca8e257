package io.baton.bench;

import io.baton.engine.kernel.MachineProbe;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What this machine can do at most with a number of threads, measured.
 *
 * @param readBytesPerSecond memory read, each thread its own contiguous part
 * @param f32OpsPerSecond multiply and add, two operations each
 * @param bf16OpsPerSecond the same in pairs of bf16
 * @param int8OpsPerSecond the same in int8, with matrix tiles where the processor has them
 */
public record MachineLimits(
        int threads,
        double readBytesPerSecond,
        double f32OpsPerSecond,
        double bf16OpsPerSecond,
        double int8OpsPerSecond) {

    private static final int REPETITIONS = 5;
    private static final long READ_BYTES = 1L << 30; // far beyond any cache
    private static final long ITERATIONS = 4_000_000;

    /** Takes about a second; empty where there are no native kernels to measure with. */
    public static Optional<MachineLimits> measure(int threads) {
        return MachineProbe.best().map(probe -> measure(probe, threads));
    }

    private static MachineLimits measure(MachineProbe probe, int threads) {
        try (ExecutorService team = Executors.newFixedThreadPool(threads);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(READ_BYTES, 64);
            memory.fill((byte) 1);
            long part = READ_BYTES / threads;
            double read = rate(team, threads, i -> probe.read(memory.address() + i * part, part));
            double f32 = rate(team, threads, i -> probe.f32(ITERATIONS));
            double bf16 = rate(team, threads, i -> probe.bf16(ITERATIONS));
            double int8 = rate(team, threads, i -> probe.int8(ITERATIONS));
            return new MachineLimits(threads, read, f32, bf16, int8);
        }
    }

    @FunctionalInterface
    private interface Work {
        long run(int thread);
    }

    /** Median over repetitions of what all threads did, by the time until the last of them was done. */
    private static double rate(ExecutorService team, int threads, Work work) {
        double[] rates = new double[REPETITIONS];
        for (int repetition = 0; repetition < REPETITIONS; repetition++) {
            long start = System.nanoTime();
            List<Future<Long>> parts = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int thread = i;
                parts.add(team.submit(() -> work.run(thread)));
            }
            long done = 0;
            for (Future<Long> part : parts) {
                done += await(part);
            }
            rates[repetition] = done / ((System.nanoTime() - start) / 1e9);
        }
        Arrays.sort(rates);
        return rates[REPETITIONS / 2];
    }

    private static long await(Future<Long> part) {
        try {
            return part.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("measuring failed", e);
        }
    }

    /** One line for people. */
    public String describe() {
        return "limits with %d threads: read %.1f GB/s, f32 %.0f GFLOP/s, bf16 %.0f GFLOP/s, int8 %.0f GOP/s"
                .formatted(
                        threads,
                        readBytesPerSecond / 1e9,
                        f32OpsPerSecond / 1e9,
                        bf16OpsPerSecond / 1e9,
                        int8OpsPerSecond / 1e9);
    }
}

package io.baton.bench;

import io.baton.engine.kernel.MachineProbe;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What this machine can do at most with a number of threads, measured: the best of several tries, because a limit that
 * a busy neighbour lowered is none. Used by one thread.
 */
public final class MachineLimits {

    private static final int TRIES = 7;
    private static final long MEMORY_BYTES = 1L << 29; // far beyond any cache
    private static final long CACHE_BYTES = 1L << 27; // what is smaller may lie in one
    private static final long SMALLEST_BYTES = 1L << 16;
    private static final long BYTES_PER_TRY = 1L << 28;
    private static final long ITERATIONS = 4_000_000;

    private final MachineProbe probe;
    private final int threads;
    private double f32;
    private double bf16;
    private double int8;
    private double int8Narrow;
    private final Map<Long, Double> readByWorkingSet = new TreeMap<>();

    private MachineLimits(MachineProbe probe, int threads) {
        this.probe = probe;
        this.threads = threads;
        measureOperations();
        readBytesPerSecond(MEMORY_BYTES);
    }

    /** Takes about a second; empty where there are no native kernels to measure with. */
    public static Optional<MachineLimits> measure(int threads) {
        return MachineProbe.best().map(probe -> new MachineLimits(probe, threads));
    }

    /** Measures operations once more; limits only rise. */
    void measureOperations() {
        try (ExecutorService team = Executors.newFixedThreadPool(threads)) {
            f32 = Math.max(f32, best(team, i -> probe.f32(ITERATIONS)));
            // A kernel may widen bf16 and multiply in f32, and on some processors that is the faster way.
            bf16 = Math.max(Math.max(bf16, f32), best(team, i -> probe.bf16(ITERATIONS)));
            int8 = Math.max(int8, best(team, i -> probe.int8(ITERATIONS)));
            int8Narrow = Math.max(Math.max(int8Narrow, int8), best(team, i -> probe.int8Narrow(ITERATIONS)));
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

    /** Reads of memory beyond every cache, each thread its own contiguous part. */
    public double readBytesPerSecond() {
        return readBytesPerSecond(MEMORY_BYTES);
    }

    /** Reads of this much memory again and again; a small working set is read from a cache. Measured on first use. */
    public double readBytesPerSecond(long workingSet) {
        return readByWorkingSet.computeIfAbsent(size(workingSet), this::measureRead);
    }

    /**
     * Measures reads of that much memory now and forgets what they were before. Reads of a shared host change by half
     * from one minute to the next, and what was measured in another one says nothing.
     */
    void readAnew(long workingSet) {
        readByWorkingSet.put(size(workingSet), measureRead(size(workingSet)));
    }

    /** Measures reads of that much memory once more; the limit is the faster of both. */
    void readOnceMore(long workingSet) {
        readByWorkingSet.merge(size(workingSet), measureRead(size(workingSet)), Math::max);
    }

    private static long size(long workingSet) {
        return workingSet >= CACHE_BYTES
                ? MEMORY_BYTES
                : Math.max(SMALLEST_BYTES, Long.highestOneBit(Math.max(1, workingSet)));
    }

    private double measureRead(long size) {
        try (ExecutorService team = Executors.newFixedThreadPool(threads);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(size, 64);
            memory.fill((byte) 1);
            return Math.max(
                    best(team, reads(memory, probe::readInOrder)), best(team, reads(memory, probe::readInParts)));
        }
    }

    private Work reads(MemorySegment memory, Read read) {
        long part = memory.byteSize() / threads / 64 * 64;
        long passes = Math.max(1, BYTES_PER_TRY / memory.byteSize());
        return thread -> {
            long done = 0;
            for (long pass = 0; pass < passes; pass++) {
                done += read.bytes(memory.address() + thread * part, part);
            }
            return done;
        };
    }

    @FunctionalInterface
    private interface Read {
        long bytes(long address, long length);
    }

    @FunctionalInterface
    private interface Work {
        long run(int thread);
    }

    /** What all threads did, by the time until the last of them was done, at best. */
    private double best(ExecutorService team, Work work) {
        double best = 0;
        for (int attempt = 0; attempt < TRIES; attempt++) {
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
            best = Math.max(best, done / ((System.nanoTime() - start) / 1e9));
        }
        return best;
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
        return "read %.1f GB/s, f32 %.0f GFLOP/s, bf16 %.0f GFLOP/s, int8 %.0f GOP/s (%.0f in 16-bit sums)"
                .formatted(readBytesPerSecond() / 1e9, f32 / 1e9, bf16 / 1e9, int8 / 1e9, int8Narrow / 1e9);
    }
}

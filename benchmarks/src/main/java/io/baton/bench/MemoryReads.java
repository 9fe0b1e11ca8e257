package io.baton.bench;

import io.baton.engine.kernel.MachineProbe;
import io.baton.engine.memory.PageMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Measures how fast memory of one size is read again and again, each thread its own contiguous part. The memory is of
 * the kind that weights lie in, with huge pages where there are any, and stays allocated, so that a measurement can be
 * repeated quickly: reads of a shared host change by half from one second to the next. Used by one thread.
 */
final class MemoryReads implements AutoCloseable {

    private static final long MEMORY_BYTES = 1L << 29; // far beyond any cache
    private static final long CACHE_BYTES = 1L << 27; // what is smaller may lie in one
    private static final long SMALLEST_BYTES = 1L << 16;
    private static final long BYTES_PER_TRY = 1L << 28;
    private static final int LINE = 64;

    private final MachineProbe probe;
    private final ProbeTeam team;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final long partBytes;

    /** @param workingSet bytes; a small working set is read from a cache */
    MemoryReads(MachineProbe probe, int threads, double workingSet) {
        long bytes = bytes((long) workingSet);
        this.probe = probe;
        this.team = new ProbeTeam(threads);
        this.memory = PageMemory.allocate(bytes, arena).allocate(bytes, LINE);
        this.partBytes = bytes / threads / LINE * LINE;
        team.all(thread -> {
            memory.asSlice(thread * partBytes, partBytes).fill((byte) 1);
            return partBytes;
        });
    }

    /** What is read to measure a working set. */
    static long bytes(long workingSet) {
        return workingSet >= CACHE_BYTES
                ? MEMORY_BYTES
                : Math.max(SMALLEST_BYTES, Long.highestOneBit(Math.max(1, workingSet)));
    }

    /** Bytes that all threads read per second now, in the faster of two orders. */
    double perSecond() {
        return Math.max(team.best(passes(probe::readInOrder)), team.best(passes(probe::readInParts)));
    }

    private ProbeTeam.Work passes(Read read) {
        long passes = Math.max(1, BYTES_PER_TRY / memory.byteSize());
        return thread -> {
            long done = 0;
            for (long pass = 0; pass < passes; pass++) {
                done += read.bytes(memory.address() + thread * partBytes, partBytes);
            }
            return done;
        };
    }

    @FunctionalInterface
    private interface Read {
        long bytes(long address, long length);
    }

    @Override
    public void close() {
        team.close();
        arena.close();
    }
}

package io.baton.engine.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * Fresh pages from the kernel for large, long-lived memory. They are zero without having been touched, so that whoever
 * fills them first, on many threads, also pays for them; and on Linux they may be huge ones (2 MiB), which spares most
 * of the page faults of loading and most misses of the address translation later. Kernels that give none ("never" in
 * {@code /sys/kernel/mm/transparent_hugepage/enabled}) give small pages. Elsewhere this is the arena's own memory.
 */
public final class PageMemory {

    private static final long HUGE_PAGE = 2 << 20;

    // The same on all Linux platforms that there are kernels for.
    private static final int READ_WRITE = 3;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final int ADVISE_HUGE = 14;
    private static final int NO_FILE = -1;

    private PageMemory() {}

    /**
     * Hands out zero memory from one mapping of {@code bytes}, which lives as long as {@code arena}. Allocations must
     * not take more than that together, alignment included.
     */
    public static SegmentAllocator allocate(long bytes, Arena arena) {
        boolean linux =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("linux");
        return linux && bytes > 0 ? SegmentAllocator.slicingAllocator(mapped(bytes, arena)) : arena;
    }

    @SuppressWarnings("restricted") // the flag --enable-native-access is part of how every JVM of ours starts
    private static MemorySegment mapped(long bytes, Arena arena) {
        Linker linker = Linker.nativeLinker();
        MethodHandle map = function(
                linker,
                "mmap",
                FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
        MethodHandle unmap = function(linker, "munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
        MethodHandle advise =
                function(linker, "madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
        long length = bytes + HUGE_PAGE; // room to begin with a whole huge page
        try {
            long address =
                    (long) map.invokeExact(MemorySegment.NULL, length, READ_WRITE, PRIVATE_ANONYMOUS, NO_FILE, 0L);
            if (address == -1) {
                return arena.allocate(bytes, OffHeap.ALIGNMENT);
            }
            // Advice may be refused, by kernels without huge pages: small ones do as well.
            int _ = (int) advise.invokeExact(address, length, ADVISE_HUGE);
            long first = (address + HUGE_PAGE - 1) & -HUGE_PAGE;
            return MemorySegment.ofAddress(first).reinterpret(bytes, arena, memory -> unmap(unmap, address, length));
        } catch (Throwable t) {
            throw new IllegalStateException("memory could not be mapped", t);
        }
    }

    private static void unmap(MethodHandle unmap, long address, long length) {
        try {
            if ((int) unmap.invokeExact(address, length) != 0) {
                throw new IllegalStateException("memory at 0x%x could not be unmapped".formatted(address));
            }
        } catch (Throwable t) {
            throw new IllegalStateException("memory could not be unmapped", t);
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle function(Linker linker, String name, FunctionDescriptor descriptor) {
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
    }
}

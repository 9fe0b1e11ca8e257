package io.baton.e2e;

import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What this process holds in memory beside the Java heap, as the kernel counts it: pools, buffers of the transport,
 * native allocations. Linux only.
 */
final class OffHeapMemory {

    private static final Path MAPPINGS = Path.of("/proc/self/smaps");

    /** {@code from-to permissions offset device inode [path]} */
    private static final Pattern MAPPING = Pattern.compile("([0-9a-f]+)-[0-9a-f]+ \\S+ \\S+ \\S+ (\\d+)\\s*(.*)");

    private static final Pattern RESIDENT = Pattern.compile("Anonymous:\\s+(\\d+) kB");

    /** With compressed references the heap lies below, everything that native code maps lies above. */
    private static final long END_OF_HEAP = 32L << 30;

    private OffHeapMemory() {}

    /** Bytes in memory now, those of a process that had just started included. */
    static long bytes() throws IOException {
        assumeThat(Files.isReadable(MAPPINGS)).as("%s is there", MAPPINGS).isTrue();
        long bytes = 0;
        boolean counted = false;
        for (String line : Files.readAllLines(MAPPINGS)) {
            Matcher mapping = MAPPING.matcher(line);
            if (mapping.matches()) {
                counted = Long.parseUnsignedLong(mapping.group(1), 16) >= END_OF_HEAP;
            } else if (counted) {
                bytes += kilobytes(line).orElse(0) << 10;
            }
        }
        return bytes;
    }

    private static OptionalLong kilobytes(String line) {
        Matcher resident = RESIDENT.matcher(line);
        return resident.matches() ? OptionalLong.of(Long.parseLong(resident.group(1))) : OptionalLong.empty();
    }
}

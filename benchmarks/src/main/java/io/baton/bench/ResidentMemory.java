package io.baton.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;

/** What the system says this process occupies. */
final class ResidentMemory {

    private static final Path STATUS = Path.of("/proc/self/status");

    private static final long SETTLED_NANOS = 500_000_000;

    private ResidentMemory() {}

    /**
     * Bytes in memory, garbage collected before; 0 where the system has no such file. The JVM gives memory back for a
     * while after a collection, so this waits until no more comes.
     */
    static long bytes() {
        System.gc();
        long bytes = now();
        long seen = System.nanoTime();
        while (bytes > 0 && System.nanoTime() - seen < SETTLED_NANOS) {
            LockSupport.parkNanos(SETTLED_NANOS / 10);
            long less = now();
            if (less < bytes) {
                bytes = less;
                seen = System.nanoTime();
            }
        }
        return bytes;
    }

    private static long now() {
        if (!Files.isReadable(STATUS)) {
            return 0;
        }
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
            return 0;
        } catch (IOException e) {
            return 0;
        }
    }
}

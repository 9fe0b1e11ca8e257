package io.baton.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the system says this process occupies. */
final class ResidentMemory {

    private static final Path STATUS = Path.of("/proc/self/status");

    private ResidentMemory() {}

    /** Bytes in memory now, garbage collected before; 0 where the system has no such file. */
    static long bytes() {
        System.gc();
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

package io.baton.engine.memory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * How much memory this process may take, and who says so.
 *
 * @param source for people, e.g. {@code cgroup v2 /sys/fs/cgroup/memory.max}
 */
public record MemoryLimit(long bytes, String source) {

    private static final long UNLIMITED = 1L << 60; // cgroup v1 says "no limit" by a number near 2^63

    /** The smallest of the machine's memory and the limits of the control groups this process is in. */
    public static MemoryLimit detect() {
        return detect(Path.of("/"));
    }

    static MemoryLimit detect(Path root) {
        MemoryLimit smallest = machine(root);
        for (String line : lines(root.resolve("proc/self/cgroup"))) {
            String[] parts = line.split(":", 3); // hierarchy:controllers:path
            if (parts.length == 3 && parts[0].equals("0")) {
                smallest = smallest.orSmaller(root.resolve("sys/fs/cgroup"), parts[2], "memory.max", "cgroup v2");
            } else if (parts.length == 3 && List.of(parts[1].split(",")).contains("memory")) {
                Path mount = root.resolve("sys/fs/cgroup/memory");
                smallest = smallest.orSmaller(mount, parts[2], "memory.limit_in_bytes", "cgroup v1");
            }
        }
        return smallest;
    }

    /**
     * A limit holds for a group and all groups below it; inside a container the mount may begin at the group itself.
     */
    private MemoryLimit orSmaller(Path mount, String group, String file, String kind) {
        MemoryLimit smallest = this;
        Path inside = mount.resolve(group.replaceFirst("^/+", "")).normalize();
        Path at = inside.startsWith(mount) ? inside : mount;
        while (at != null && at.startsWith(mount)) {
            List<String> content = lines(at.resolve(file));
            OptionalLong limit = content.isEmpty() ? OptionalLong.empty() : number(content.getFirst());
            if (limit.isPresent() && limit.getAsLong() < smallest.bytes) {
                smallest = new MemoryLimit(limit.getAsLong(), kind + " " + at.resolve(file));
            }
            at = at.getParent();
        }
        return smallest;
    }

    private static MemoryLimit machine(Path root) {
        for (String line : lines(root.resolve("proc/meminfo"))) {
            if (line.startsWith("MemTotal:")) {
                OptionalLong kib = number(line.replaceAll("[^0-9]", ""));
                if (kib.isPresent()) {
                    return new MemoryLimit(kib.getAsLong() << 10, "the machine's memory");
                }
            }
        }
        return new MemoryLimit(ofPlatform(), "the machine's memory");
    }

    private static long ofPlatform() {
        return java.lang.management.ManagementFactory.getOperatingSystemMXBean()
                        instanceof com.sun.management.OperatingSystemMXBean platform
                ? platform.getTotalMemorySize()
                : Runtime.getRuntime().maxMemory() * 4; // the default heap is a quarter of the machine
    }

    private static OptionalLong number(String text) {
        try {
            long value = Long.parseLong(text.strip());
            return value > 0 && value < UNLIMITED ? OptionalLong.of(value) : OptionalLong.empty();
        } catch (NumberFormatException e) {
            return OptionalLong.empty(); // "max"
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of(); // no such control group, or not Linux
        }
    }
}

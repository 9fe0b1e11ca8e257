package io.baton.engine.memory;

import io.baton.engine.EngineException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a process takes, item by item, against its limit. Whoever allocates much reserves first; a reservation that does
 * not fit is refused with all numbers, before anything is allocated. Thread-safe.
 */
public final class MemoryBudget {

    /** Code cache, metaspace, thread stacks, garbage collector: what a JVM of ours takes beside heap and buffers. */
    private static final long JVM_BYTES = 256L << 20;

    private final MemoryLimit limit;
    private final Map<String, Long> items = new LinkedHashMap<>();

    /** An item of a budget; closing it gives the bytes back. */
    public final class Reservation implements AutoCloseable {
        private final String item;

        private Reservation(String item) {
            this.item = item;
        }

        @Override
        public void close() {
            synchronized (MemoryBudget.this) {
                items.remove(item);
            }
        }
    }

    private MemoryBudget(MemoryLimit limit) {
        this.limit = limit;
    }

    /** A budget that starts with this JVM's own needs. */
    public static MemoryBudget under(MemoryLimit limit) {
        MemoryBudget budget = new MemoryBudget(limit);
        budget.reserve("heap (-Xmx)", Runtime.getRuntime().maxMemory());
        budget.reserve("JVM", JVM_BYTES);
        return budget;
    }

    /**
     * Adds an item.
     *
     * @throws EngineException when the sum would exceed the limit
     */
    public synchronized Reservation reserve(String item, long bytes) {
        if (bytes > remaining()) {
            throw new EngineException(
                    EngineException.Kind.RESOURCE_EXHAUSTED,
                    ("%s needs %s, but %s of %s (%s) are left; taken: %s. Lower pool-bytes, chunk-tokens or the heap"
                                    + " (-Xmx), or raise memory-limit")
                            .formatted(
                                    item,
                                    readable(bytes),
                                    readable(remaining()),
                                    readable(limit.bytes()),
                                    limit.source(),
                                    taken()));
        }
        if (items.putIfAbsent(item, bytes) != null) {
            throw new IllegalStateException("there is an item " + item + " already");
        }
        return new Reservation(item);
    }

    /** Bytes that may still be reserved. */
    public synchronized long remaining() {
        return Math.max(0, limit.bytes() - sum());
    }

    /** One line for the log: every item, their sum, the limit and where it comes from. */
    public synchronized String report() {
        return "memory: %s = %s of %s (%s)"
                .formatted(taken(), readable(sum()), readable(limit.bytes()), limit.source());
    }

    private long sum() {
        return items.values().stream().mapToLong(Long::longValue).sum();
    }

    private String taken() {
        return items.isEmpty()
                ? "nothing"
                : items.entrySet().stream()
                        .map(item -> item.getKey() + " " + readable(item.getValue()))
                        .collect(Collectors.joining(" + "));
    }

    static String readable(long bytes) {
        return bytes < 10L << 20 ? "%,d KiB".formatted(bytes >> 10) : "%,d MiB".formatted(bytes >> 20);
    }
}

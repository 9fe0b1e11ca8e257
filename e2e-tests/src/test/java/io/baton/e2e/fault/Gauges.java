package io.baton.e2e.fault;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Numbers of a metrics endpoint in Prometheus' text format, by name and labels as they stand there. */
record Gauges(Map<String, Double> values) {

    Gauges {
        values = Map.copyOf(values);
    }

    static Gauges parse(String text) {
        Map<String, Double> values = new HashMap<>();
        for (String line : text.split("\n", -1)) {
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            int space = line.lastIndexOf(' ');
            values.put(line.substring(0, space), Double.valueOf(line.substring(space + 1)));
        }
        return new Gauges(values);
    }

    /** The sum over all labels. */
    long value(String name) {
        return sum(name, "");
    }

    /** Nodes of a role that a gateway gives work to. */
    long nodes(String role) {
        return sum("baton_gateway_nodes", "baton_role=\"%s\"".formatted(role));
    }

    private long sum(String name, String label) {
        double[] found = values.entrySet().stream()
                .filter(entry ->
                        nameOf(entry.getKey()).equals(name) && entry.getKey().contains(label))
                .mapToDouble(Map.Entry::getValue)
                .toArray();
        if (found.length == 0) {
            throw new IllegalArgumentException("%s %s is not among %s".formatted(name, label, values.keySet()));
        }
        return Math.round(Arrays.stream(found).sum());
    }

    private static String nameOf(String key) {
        int labels = key.indexOf('{');
        return labels < 0 ? key : key.substring(0, labels);
    }

    long usedBlocks() {
        return value("baton_kv_blocks_used");
    }

    /** Requests that wait for admission or are being prefilled. */
    long waiting() {
        return value("baton_sequences_waiting");
    }

    long running() {
        return value("baton_sequences_running");
    }

    /** Prompt tokens of which the node has not computed K and V yet. */
    long prefillTokens() {
        return value("baton_prefill_queued");
    }

    /** Whether the node has somebody's request. */
    boolean isBusy() {
        return running() + waiting() > 0;
    }

    /** Whether a node has nobody's request: no block in use, and all of the pool accounted for. */
    boolean isAtBaseline() {
        long free = value("baton_kv_blocks_free");
        long cached = value("baton_kv_blocks_cached");
        return usedBlocks() == 0
                && free + cached == value("baton_kv_blocks_capacity")
                && running() + waiting() + prefillTokens() == 0;
    }
}

package io.baton.e2e.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.BatonClient;
import io.baton.testing.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A gateway, two prefill and two decode nodes as processes of their own, each behind a {@link FaultProxy}. What goes on
 * inside is seen through their metrics. Confined to the test's thread.
 */
final class ProcessCluster implements AutoCloseable {

    private static final Duration UP = Duration.ofSeconds(60);
    private static final Duration DRAINED = Duration.ofSeconds(20);

    private final ClusterPlace gateway;
    private final List<ClusterPlace> prefills;
    private final List<ClusterPlace> decodes;

    private ProcessCluster(Path folder) {
        gateway = new ClusterPlace("gateway", folder);
        prefills = List.of(new ClusterPlace("prefill-0", folder), new ClusterPlace("prefill-1", folder));
        decodes = List.of(new ClusterPlace("decode-0", folder), new ClusterPlace("decode-1", folder));
    }

    /**
     * Starts everything and waits until the gateway counts on every node. One compute thread per node: there are more
     * nodes than processors.
     *
     * @param prefillBlocks of a prefill node's pool
     */
    static ProcessCluster start(Path model, Path folder, long blockBytes, int prefillBlocks, int decodeBlocks) {
        ProcessCluster cluster = new ProcessCluster(folder);
        List<String> node = List.of(
                "--model=" + model,
                "--kv-dtype=f32",
                "--block-tokens=" + ProcessFaultTest.BLOCK_TOKENS,
                "--chunk-tokens=32",
                "--threads=1",
                // The definition of the arithmetic: nothing to compile and nothing to warm up.
                "--kernels=scalar");
        cluster.prefills.forEach(
                place -> place.start(with(node, "prefill", "--pool-bytes=%dB".formatted(prefillBlocks * blockBytes))));
        String prefillNodes = "--prefill-nodes=" + addresses(cluster.prefills);
        cluster.decodes.forEach(place -> place.start(with(
                node,
                "decode",
                "--pool-bytes=%dB".formatted(decodeBlocks * blockBytes),
                prefillNodes,
                "--advertise=" + place.address())));
        cluster.gateway.start(
                List.of("gateway", "--model=" + model, prefillNodes, "--decode-nodes=" + addresses(cluster.decodes)));
        cluster.awaitNodes(2, 2);
        return cluster;
    }

    ClusterPlace gateway() {
        return gateway;
    }

    List<ClusterPlace> prefills() {
        return prefills;
    }

    List<ClusterPlace> decodes() {
        return decodes;
    }

    List<ClusterPlace> places() {
        List<ClusterPlace> all = new ArrayList<>(nodes());
        all.add(gateway);
        return all;
    }

    private List<ClusterPlace> nodes() {
        return Stream.concat(prefills.stream(), decodes.stream()).toList();
    }

    /** A client with a connection of its own. */
    BatonClient client() {
        return BatonClient.connect(gateway.address());
    }

    /** Waits until the gateway serves and gives work to at least so many nodes. */
    private void awaitNodes(int prefillNodes, int decodeNodes) {
        gateway.awaitServing();
        Waiting.until(
                "the gateway counts on %d prefill and %d decode nodes".formatted(prefillNodes, decodeNodes), UP, () -> {
                    Gauges now = gateway.gauges();
                    return now.nodes("prefill") >= prefillNodes && now.nodes("decode") >= decodeNodes;
                });
    }

    /** Waits until every process that a row needs serves, and the gateway knows. */
    void awaitComplete(ProcessFault fault) {
        awaitNodes(fault.prefillNodes(), fault.decodeNodes());
    }

    /** The prefill nodes of which this is true now. */
    List<ClusterPlace> prefillsWhere(Predicate<Gauges> holds) {
        return where(prefills, List.of(), holds);
    }

    /** As above, without asking {@code but}, which cannot answer. */
    List<ClusterPlace> prefillsWhere(List<ClusterPlace> but, Predicate<Gauges> holds) {
        return where(prefills, but, holds);
    }

    /** The decode nodes of which this is true now. */
    List<ClusterPlace> decodesWhere(Predicate<Gauges> holds) {
        return where(decodes, List.of(), holds);
    }

    /** As above, without asking {@code but}, which cannot answer. */
    List<ClusterPlace> decodesWhere(List<ClusterPlace> but, Predicate<Gauges> holds) {
        return where(decodes, but, holds);
    }

    private static List<ClusterPlace> where(
            List<ClusterPlace> places, List<ClusterPlace> but, Predicate<Gauges> holds) {
        return places.stream()
                .filter(place -> place.isServing() && !but.contains(place) && holds.test(place.gauges()))
                .toList();
    }

    /**
     * Waits for at most {@code limit} until no node that serves has anything of anybody, those left out that cannot
     * answer.
     */
    void awaitBaseline(Duration limit, Collection<ClusterPlace> unheard) {
        for (ClusterPlace place : nodes()) {
            if (place.isServing() && !unheard.contains(place)) {
                Waiting.until(
                        "%s is at its baseline".formatted(place),
                        limit,
                        () -> place.gauges().isAtBaseline());
            }
        }
        if (gateway.isServing() && !unheard.contains(gateway)) {
            Waiting.until(
                    "the gateway has no request",
                    limit,
                    () -> gateway.gauges().value("baton_gateway_requests_running") == 0);
        }
    }

    /**
     * Tells every process to drain. A node counts its blocks before it goes: exit code 0 means that each was accounted
     * for.
     */
    void drain() throws InterruptedException {
        for (ClusterPlace place : places().reversed()) {
            place.process().terminate();
            assertThat(place.process().exitCode(DRAINED))
                    .as("exit code of %s:%n%s", place, place.process().log())
                    .isZero();
        }
    }

    /** What every process has logged, for a test that failed. */
    String logs() {
        return places().stream()
                .map(place -> "--- %s%n%s".formatted(place, place.process().log()))
                .collect(Collectors.joining("\n"));
    }

    private static List<String> with(List<String> shared, String role, String... own) {
        List<String> all = new ArrayList<>();
        all.add(role);
        all.addAll(shared);
        all.addAll(List.of(own));
        return all;
    }

    private static String addresses(List<ClusterPlace> places) {
        return places.stream().map(ClusterPlace::address).collect(Collectors.joining(","));
    }

    @Override
    public void close() {
        places().forEach(ClusterPlace::close);
    }
}

package io.baton.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.baton.routing.policy.LoadOnly;
import io.baton.routing.policy.PrefixHashing;
import io.baton.routing.policy.PrefixOnly;
import io.baton.routing.policy.RoundRobin;
import io.baton.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Policies on the head of Mooncake's conversation trace: ten prefill nodes with an LRU of 5,859 blocks (3 M tokens)
 * each and one queue at 40 blocks of 512 tokens per second. All requests share block 0, so a policy that looks at
 * prefixes alone sends everything to one node; looking at queue and prefix together is best in both hit ratio and
 * waiting time.
 */
class RoutingPolicyTraceTest {

    private static final int NODES = 10;
    private static final int NODE_BLOCKS = 5_859;
    private static final int BLOCK_TOKENS = 512;
    private static final double TOKENS_PER_SECOND = 40 * BLOCK_TOKENS;

    private record Request(long millis, int tokens, int[] blocks) {}

    private record Outcome(double hitRatio, double meanTtftSeconds, double workImbalance) {}

    private static List<Request> trace = List.of();

    @BeforeAll
    static void readTrace() throws IOException {
        Path traces = SharedFiles.present("data/traces");
        try (Stream<Path> files = Files.list(traces)) {
            Path file = files.filter(path -> path.getFileName().toString().startsWith("conversation"))
                    .findFirst()
                    .orElse(traces.resolve("conversation_trace.jsonl"));
            assumeThat(file).exists();
            Pattern line = Pattern.compile(
                    "\"timestamp\": (\\d+), \"input_length\": (\\d+), .*\"hash_ids\": \\[([0-9, ]*)\\]");
            List<Request> requests = new ArrayList<>();
            for (String text : Files.readAllLines(file)) {
                Matcher matcher = line.matcher(text);
                if (matcher.find()) {
                    int[] blocks = Stream.of(matcher.group(3).split(", "))
                            .mapToInt(Integer::parseInt)
                            .toArray();
                    requests.add(
                            new Request(Long.parseLong(matcher.group(1)), Integer.parseInt(matcher.group(2)), blocks));
                }
            }
            trace = List.copyOf(requests);
        }
    }

    @Test
    void queueAndPrefixTogetherBeatEitherAlone() {
        CostModel costs = new CostModel(
                new KvGeometry(BLOCK_TOKENS, 1, 0),
                new CostParameters(TOKENS_PER_SECOND, 1, 1e12, 0, 0, 512, 1, 0, 0, 0.0001));
        Map<String, Outcome> outcomes = new LinkedHashMap<>();
        outcomes.put("round robin", simulate(new RoundRobin()));
        outcomes.put("least load", simulate(new LoadOnly()));
        outcomes.put("hash of 2 blocks", simulate(new PrefixHashing(2)));
        outcomes.put("longest prefix", simulate(new PrefixOnly()));
        outcomes.put("least estimated TTFT", simulate(new Router(costs, RouterOptions.withSeed(1))));
        outcomes.forEach((policy, outcome) -> System.out.printf(
                "%-22s hit %.3f  mean TTFT %8.2f s  max/mean work %5.2f%n",
                policy, outcome.hitRatio(), outcome.meanTtftSeconds(), outcome.workImbalance()));

        Outcome cost = outcomes.get("least estimated TTFT");
        Outcome load = outcomes.get("least load");
        Outcome robin = outcomes.get("round robin");
        Outcome prefix = outcomes.get("longest prefix");
        assertThat(prefix.workImbalance()).as("everything lands on one node").isGreaterThan(9.9);
        assertThat(prefix.meanTtftSeconds()).isGreaterThan(50 * load.meanTtftSeconds());
        assertThat(cost.hitRatio()).isGreaterThan(1.5 * load.hitRatio());
        assertThat(cost.hitRatio()).isGreaterThan(1.5 * robin.hitRatio());
        assertThat(cost.meanTtftSeconds()).isLessThan(load.meanTtftSeconds());
        assertThat(load.meanTtftSeconds()).isLessThan(robin.meanTtftSeconds());
        assertThat(cost.workImbalance()).isLessThan(1.7);
    }

    private static Outcome simulate(RoutePolicy policy) {
        TestingCluster cluster = new TestingCluster();
        List<SimulatedNode> nodes = new ArrayList<>();
        cluster.join("d:0", decodeLoad(), NodeRole.DECODE);
        for (int n = 0; n < NODES; n++) {
            nodes.add(new SimulatedNode("p:" + n, cluster));
        }
        long hits = 0;
        long references = 0;
        double ttft = 0;
        for (Request request : trace) {
            cluster.nowMillis = 1_000_000 + request.millis();
            cluster.load("d:0", decodeLoad());
            nodes.forEach(SimulatedNode::report);
            RequestShape shape = new RequestShape(
                    TestingCluster.POOL,
                    request.tokens(),
                    1,
                    TestingCluster.keys(request.blocks()),
                    PrefillPlace.REMOTE,
                    false,
                    OptionalLong.empty(),
                    Set.of());
            RouteDecision decision = policy.choose(shape, cluster.index.view(), cluster.clock);
            if (!(decision instanceof RouteDecision.Route route)) {
                throw new AssertionError(decision);
            }
            String chosen = route.prefillNodes().getFirst().node();
            SimulatedNode node = nodes.get(Integer.parseInt(chosen.substring(2)));
            int cached = node.take(request.blocks());
            hits += cached;
            references += request.blocks().length;
            ttft += node.enqueue(Math.max(1, request.tokens() - cached * BLOCK_TOKENS));
        }
        double all = nodes.stream().mapToDouble(node -> node.work).sum();
        double most = nodes.stream().mapToDouble(node -> node.work).max().orElseThrow();
        return new Outcome((double) hits / references, ttft / trace.size(), most * NODES / all);
    }

    private static NodeLoad decodeLoad() {
        return new NodeLoad(0, 0, 0, 1 << 20, 0, 0, TOKENS_PER_SECOND, 1, 1e12);
    }

    /** One queue, one LRU of blocks that evicts leaves first, and the events both give rise to. */
    private static final class SimulatedNode {

        private final String address;
        private final TestingCluster cluster;
        private final LinkedHashMap<Integer, Boolean> lru = new LinkedHashMap<>(16, 0.75f, true);
        private long sequence;
        private double busyUntilSeconds;
        private double work;

        SimulatedNode(String address, TestingCluster cluster) {
            this.address = address;
            this.cluster = cluster;
            cluster.join(address, decodeLoad(), NodeRole.PREFILL);
        }

        void report() {
            double backlog = Math.max(0, busyUntilSeconds - cluster.nowMillis / 1e3);
            long queued = Math.round(backlog * TOKENS_PER_SECOND);
            cluster.load(address, new NodeLoad(queued, 0, 0, 0, 0, 0, TOKENS_PER_SECOND, 0, 0));
        }

        int take(int[] blocks) {
            int cached = 0;
            while (cached < blocks.length && lru.containsKey(blocks[cached])) {
                cached++;
            }
            // Touched leaf first, so that the eldest of a chain is its leaf.
            for (int i = blocks.length - 1; i >= 0; i--) {
                lru.put(blocks[i], true);
            }
            List<Integer> evicted = new ArrayList<>();
            while (lru.size() > NODE_BLOCKS) {
                Integer eldest = lru.firstEntry().getKey();
                lru.remove(eldest);
                evicted.add(eldest);
            }
            cluster.stored(address, 1, ++sequence, blocks);
            cluster.removed(
                    address, 1, ++sequence, evicted.stream().mapToInt(i -> i).toArray());
            return cached;
        }

        double enqueue(int tokens) {
            double now = cluster.nowMillis / 1e3;
            double seconds = tokens / TOKENS_PER_SECOND;
            busyUntilSeconds = Math.max(now, busyUntilSeconds) + seconds;
            work += seconds;
            return busyUntilSeconds - now;
        }
    }
}

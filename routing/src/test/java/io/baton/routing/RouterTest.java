package io.baton.routing;

import static io.baton.routing.NodeRole.DECODE;
import static io.baton.routing.NodeRole.PREFILL;
import static io.baton.routing.TestingCluster.range;
import static io.baton.routing.TestingCluster.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.routing.RouteDecision.Cause;
import io.baton.routing.RouteDecision.Refusal;
import io.baton.routing.RouteDecision.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RouterTest {

    private final TestingCluster cluster = new TestingCluster();
    private final Router router = router(0);

    private static Router router(double noise) {
        CostParameters parameters = new CostParameters(500, 20_000, 1e9, 0, 1_000, 100, 10, 0.5, 0.25, noise);
        return new Router(new CostModel(TestingCluster.GEOMETRY, parameters), RouterOptions.withSeed(42));
    }

    private Route route(RequestShape shape) {
        RouteDecision decision = router.choose(shape, cluster.index.view(), cluster.clock);
        assertThat(decision).isInstanceOf(Route.class);
        return (Route) decision;
    }

    private Refusal refusal(RequestShape shape) {
        RouteDecision decision = router.choose(shape, cluster.index.view(), cluster.clock);
        assertThat(decision).isInstanceOf(Refusal.class);
        return (Refusal) decision;
    }

    @Test
    void anIdleDecodeNodePrefillsAShortPromptItself() {
        cluster.join("d:1", TestingCluster.idle(), DECODE);
        cluster.join("p:1", TestingCluster.idle(), PREFILL);
        Route route = route(request(20));
        assertThat(route.remote()).isFalse();
        assertThat(route.reason()).isEqualTo(RouteReason.COST_LOCAL);
        assertThat(route.costs().ttftMicros())
                .as("20 tokens at 1,000/s and a step")
                .isEqualTo(20_000 + 10_000);
        assertThat(route.prefillNodes()).extracting(PrefillCandidate::node).containsExactly("p:1");
    }

    @Test
    void aBusyDecodeNodeLeavesALongPromptToAPrefillNode() {
        cluster.join("d:1", TestingCluster.load(0, 8), DECODE);
        cluster.join("p:1", TestingCluster.idle(), PREFILL);
        Route route = route(request(2_000));
        assertThat(route.reason()).isEqualTo(RouteReason.COST_REMOTE);
        assertThat(route.prefillNodes().getFirst().node()).isEqualTo("p:1");
        // 2 s of compute hide 2 s of transfer at 1 MB/s but for one of 4 layers; 1 ms of handoff.
        assertThat(route.prefillNodes().getFirst().estimatedMicros()).isEqualTo(2_000_000 + 500_000 + 1_000);
    }

    @Test
    void aCachedPrefixIsWorthTheQueueItSaves() {
        cluster.join("d:1", fastNetwork(), DECODE);
        cluster.join("p:1", TestingCluster.load(300, 0), PREFILL);
        cluster.join("p:2", TestingCluster.idle(), PREFILL);
        cluster.stored("p:1", 1, 1, range(0, 30)); // 480 tokens, 0.48 s, against 0.3 s of queue
        assertThat(remoteNodes(route(remote(600, range(0, 30))))).containsExactly("p:1", "p:2");
        cluster.load("p:1", TestingCluster.load(500, 0));
        cluster.nowMillis += 10_000; // predictions and recent decisions expire
        cluster.pass(0);
        cluster.load("p:1", TestingCluster.load(500, 0));
        assertThat(remoteNodes(route(remote(600, range(0, 30))))).containsExactly("p:2", "p:1");
    }

    @Test
    void ownDecisionsCountBeforeTheNodesReportThem() {
        cluster.join("d:1", TestingCluster.idle(), DECODE);
        cluster.join("p:1", TestingCluster.idle(), PREFILL);
        cluster.join("p:2", TestingCluster.idle(), PREFILL);
        String first = remoteNodes(route(remote(1_000))).getFirst();
        String second = remoteNodes(route(remote(1_000))).getFirst();
        assertThat(second).as("the first one has a second of work now").isNotEqualTo(first);
        cluster.pass(100); // both report again, idle
        Explanation explanation = router.explain(remote(1_000), cluster.index.view(), cluster.clock);
        assertThat(explanation.candidates())
                .allSatisfy(each -> assertThat(each.costs().queue()).isZero());
    }

    @Test
    void siblingsOfABurstMeetWhereTheFirstOneWent() {
        cluster.join("d:1", TestingCluster.idle(), DECODE);
        cluster.join("p:1", TestingCluster.idle(), PREFILL);
        cluster.join("p:2", TestingCluster.idle(), PREFILL);
        String first = remoteNodes(route(remote(500, range(0, 31)))).getFirst();
        // 500 tokens of queue against 496 tokens saved: cheaper elsewhere by 4 ms, so make the queue shorter.
        cluster.nowMillis += 100;
        cluster.load(first, TestingCluster.load(400, 0));
        assertThat(remoteNodes(route(remote(500, range(0, 31)))).getFirst()).isEqualTo(first);
        cluster.nowMillis += 5_001;
        cluster.pass(0);
        cluster.load(first, TestingCluster.load(400, 0));
        assertThat(remoteNodes(route(remote(500, range(0, 31)))).getFirst())
                .as("no event came: the prediction has expired")
                .isNotEqualTo(first);
    }

    @Test
    void aFullyCachedPromptStaysOnItsDecodeNode() {
        cluster.join("d:1", TestingCluster.idle(), DECODE);
        cluster.join("d:2", TestingCluster.idle(), DECODE);
        cluster.join("p:1", TestingCluster.idle(), PREFILL);
        cluster.stored("d:2", 1, 1, range(0, 62));
        Route route = route(request(1_000, range(0, 62)));
        assertThat(route.decodeNode()).isEqualTo("d:2");
        assertThat(route.decodeCachedTokens()).isEqualTo(992);
        assertThat(route.reason()).isEqualTo(RouteReason.CACHED);
    }

    @Test
    void theDecodeSideDoesNotChaseAShortPrefixIntoALongBatch() {
        cluster.join("d:1", TestingCluster.load(0, 30), DECODE);
        cluster.join("d:2", TestingCluster.load(0, 1), DECODE);
        cluster.stored("d:1", 1, 1, 0);
        assertThat(route(request(40, 0, 1)).decodeNode()).isEqualTo("d:2");
    }

    @Test
    void silentDrainingAndExcludedNodesGetNothing() {
        cluster.join("d:1", TestingCluster.idle(), DECODE);
        assertThat(refusal(new RequestShape(
                                TestingCluster.POOL,
                                20,
                                10,
                                BlockKeys.NONE,
                                PrefillPlace.AUTO,
                                true,
                                OptionalLong.empty(),
                                Set.of("d:1")))
                        .cause())
                .isEqualTo(Cause.NO_DECODE_NODE);
        cluster.index.apply(new NodeChange.Heartbeat("d:1", 1, 0, true));
        assertThat(refusal(request(20)).cause()).isEqualTo(Cause.NO_DECODE_NODE);
        cluster.index.apply(new NodeChange.Heartbeat("d:1", 1, 0, false));
        assertThat(route(request(20)).decodeNode()).isEqualTo("d:1");
        cluster.nowMillis += 3_500;
        assertThat(refusal(request(20)).cause()).isEqualTo(Cause.NO_DECODE_NODE);
    }

    @Test
    void anUnknownPoolIsNamed() {
        Refusal refusal = refusal(request(20));
        assertThat(refusal.cause()).isEqualTo(Cause.NO_POOL);
        assertThat(refusal.detail()).contains("tiny");
    }

    @Test
    void remoteWithoutPrefillNodesDependsOnThePolicy() {
        cluster.join("d:1", TestingCluster.idle(), DECODE);
        assertThat(route(request(PrefillPlace.REMOTE, true, 20)).reason()).isEqualTo(RouteReason.NO_PREFILL_NODE);
        assertThat(refusal(request(PrefillPlace.REMOTE, false, 20)).cause()).isEqualTo(Cause.NO_PREFILL_NODE);
        assertThat(route(request(20)).reason()).isEqualTo(RouteReason.NO_PREFILL_NODE);
        assertThat(route(request(PrefillPlace.LOCAL, false, 20)).reason()).isEqualTo(RouteReason.REQUESTED);
    }

    @Test
    void aNodeNeverPrefillsRemotelyForItself() {
        cluster.join("b:1", TestingCluster.idle(), DECODE, PREFILL);
        Route route = route(request(PrefillPlace.REMOTE, true, 20));
        assertThat(route.remote()).isFalse();
        assertThat(route.reason()).isEqualTo(RouteReason.NO_PREFILL_NODE);
    }

    @Test
    void whatNeverFitsAndWhatIsTooMuchNowAreRefusedDifferently() {
        cluster.hello("d:1", 1, 0, 10, false, DECODE);
        cluster.load("d:1", TestingCluster.idle());
        Refusal never = refusal(request(200));
        assertThat(never.cause()).isEqualTo(Cause.NEVER_FITS);
        assertThat(never.retryAfterMillis()).isZero();
        assertThat(never.detail()).contains("14 blocks").contains("has 10");
        cluster.load("d:1", TestingCluster.waiting(10, 256));
        Refusal full = refusal(request(20));
        assertThat(full.cause()).isEqualTo(Cause.OVERLOADED);
        assertThat(full.retryAfterMillis()).isBetween(100L, 30_000L);
    }

    @Test
    void aDeadlineThatNobodyCanMeetIsRefusedAtOnce() {
        cluster.join("d:1", TestingCluster.load(5_000, 1), DECODE);
        RequestShape hurried = new RequestShape(
                TestingCluster.POOL,
                100,
                10,
                BlockKeys.NONE,
                PrefillPlace.AUTO,
                true,
                OptionalLong.of(1_000_000),
                Set.of());
        Refusal refusal = refusal(hurried);
        assertThat(refusal.cause()).isEqualTo(Cause.DEADLINE);
        assertThat(refusal.retryAfterMillis()).as("5 s of queue, 1 s of time").isBetween(4_000L, 4_500L);
        cluster.join("d:2", TestingCluster.load(0, 60), DECODE); // slow steps, but in time
        assertThat(route(hurried).decodeNode()).isEqualTo("d:2");
    }

    @Test
    void explanationAndChoiceAgreeAndExplainingChangesNothing() {
        cluster.join("d:1", TestingCluster.idle(), DECODE);
        cluster.join("d:2", TestingCluster.load(0, 3), DECODE);
        cluster.join("p:1", TestingCluster.idle(), PREFILL);
        Router noisy = router(0.05);
        for (int i = 0; i < 20; i++) {
            RequestShape shape = request(100 * (i + 1), range(0, 6 * i));
            Explanation explanation = noisy.explain(shape, cluster.index.view(), cluster.clock);
            assertThat(noisy.explain(shape, cluster.index.view(), cluster.clock))
                    .isEqualTo(explanation);
            Route chosen = (Route) noisy.choose(shape, cluster.index.view(), cluster.clock);
            assertThat(explanation.decision()).isEqualTo(chosen);
            Explanation.Candidate best = explanation.candidates().getFirst();
            assertThat(best.decodeNode()).isEqualTo(chosen.decodeNode());
            assertThat(best.prefillNode())
                    .isEqualTo(
                            chosen.remote()
                                    ? Optional.of(
                                            chosen.prefillNodes().getFirst().node())
                                    : Optional.empty());
        }
    }

    @Test
    void noiseSpreadsGatewaysOverEqualNodesButIsTheSameForTheSameSeed() {
        for (int d = 0; d < 8; d++) {
            cluster.join("d:" + d, TestingCluster.idle(), DECODE);
        }
        List<String> firstChoices = new ArrayList<>();
        for (int seed = 0; seed < 40; seed++) {
            Router gateway = new Router(router.costs(), RouterOptions.withSeed(seed));
            Router noisy = new Router(
                    new CostModel(TestingCluster.GEOMETRY, CostParameters.DEFAULT), RouterOptions.withSeed(seed));
            Router twin = new Router(
                    new CostModel(TestingCluster.GEOMETRY, CostParameters.DEFAULT), RouterOptions.withSeed(seed));
            assertThat(((Route) gateway.choose(request(20), cluster.index.view(), cluster.clock)).decodeNode())
                    .as("without noise the first one wins")
                    .isEqualTo("d:0");
            Route route = (Route) noisy.choose(request(20), cluster.index.view(), cluster.clock);
            assertThat(twin.choose(request(20), cluster.index.view(), cluster.clock))
                    .isEqualTo(route);
            firstChoices.add(route.decodeNode());
        }
        assertThat(Set.copyOf(firstChoices)).hasSizeGreaterThanOrEqualTo(6);
    }

    @Test
    void invariantsHoldForSeededRandomClusters() {
        Random random = new Random(5);
        for (int round = 0; round < 300; round++) {
            TestingCluster any = new TestingCluster();
            int nodes = 1 + random.nextInt(8);
            for (int n = 0; n < nodes; n++) {
                NodeRole[] roles = random.nextBoolean() ? new NodeRole[] {DECODE} : new NodeRole[] {PREFILL};
                any.join("n:" + n, randomLoad(random), roles);
                any.stored("n:" + n, 1, 1, range(0, random.nextInt(40)));
                if (random.nextInt(6) == 0) {
                    any.index.apply(new NodeChange.Heartbeat("n:" + n, 1, 1, true));
                }
            }
            Router sometimesNoisy = router(random.nextBoolean() ? 0.1 : 0);
            for (int i = 0; i < 20; i++) {
                PrefillPlace place = List.of(PrefillPlace.AUTO, PrefillPlace.LOCAL, PrefillPlace.REMOTE)
                        .get(random.nextInt(3));
                int tokens = 1 + random.nextInt(700);
                RequestShape shape =
                        request(place, random.nextBoolean(), tokens, range(0, Math.min(40, (tokens - 1) / 16)));
                check(any, shape, sometimesNoisy.choose(shape, any.index.view(), any.clock));
            }
        }
    }

    private static void check(TestingCluster cluster, RequestShape shape, RouteDecision decision) {
        if (decision instanceof Route route) {
            assertThat(cluster.node(route.decodeNode()).takesWork(cluster.nowMillis))
                    .isTrue();
            assertThat(cluster.node(route.decodeNode()).is(DECODE)).isTrue();
            assertThat(route.costs().ttftMicros()).isPositive().isFinite();
            assertThat(route.decodeCachedTokens()).isBetween(0, shape.tokens() - 1);
            assertThat(route.prefillNodes())
                    .doesNotHaveDuplicates()
                    .hasSizeLessThanOrEqualTo(3)
                    .allSatisfy(each -> {
                        assertThat(cluster.node(each.node()).takesWork(cluster.nowMillis))
                                .isTrue();
                        assertThat(cluster.node(each.node()).is(PREFILL)).isTrue();
                        assertThat(each.cachedTokens()).isBetween(0, shape.tokens() - 1);
                        assertThat(each.estimatedMicros()).isPositive();
                    });
            assertThat(route.remote() && shape.prefill() == PrefillPlace.LOCAL).isFalse();
            assertThat(route.remote() && route.prefillNodes().isEmpty()).isFalse();
        } else if (decision instanceof Refusal refusal) {
            assertThat(refusal.detail()).isNotBlank();
            boolean aliveDecode = cluster.index.view().nodes().stream()
                    .anyMatch(node -> node.is(DECODE) && node.takesWork(cluster.nowMillis));
            assertThat(aliveDecode).isEqualTo(refusal.cause() == Cause.NO_PREFILL_NODE);
        }
    }

    /** Transfer of a cached prefix costs nothing worth mentioning. */
    private static NodeLoad fastNetwork() {
        return new NodeLoad(0, 0, 0, 5_000, 0, 0, 1_000, 10_000, 1e12);
    }

    private static NodeLoad randomLoad(Random random) {
        return new NodeLoad(
                random.nextInt(5_000),
                random.nextInt(20),
                random.nextInt(3),
                random.nextInt(1_000),
                random.nextInt(1_000),
                random.nextInt(1_000),
                random.nextInt(3) * 400,
                random.nextInt(3) * 8_000,
                random.nextInt(3) * 1e6);
    }

    private static RequestShape remote(int tokens, int... blocks) {
        return request(PrefillPlace.REMOTE, true, tokens, blocks);
    }

    private static List<String> remoteNodes(Route route) {
        return route.prefillNodes().stream().map(PrefillCandidate::node).toList();
    }
}

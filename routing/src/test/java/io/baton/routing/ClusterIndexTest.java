package io.baton.routing;

import static io.baton.routing.ClusterIndex.Applied.APPLIED;
import static io.baton.routing.ClusterIndex.Applied.AWAITING_SNAPSHOT;
import static io.baton.routing.ClusterIndex.Applied.DUPLICATE;
import static io.baton.routing.ClusterIndex.Applied.NEEDS_RESYNC;
import static io.baton.routing.ClusterIndex.Applied.REFUSED;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ClusterIndexTest {

    private final TestingCluster cluster = new TestingCluster();

    @Test
    void aSnapshotThenDeltasGiveTheCachedPrefix() {
        cluster.hello("a:1", 7, NodeRole.DECODE);
        assertThat(cluster.snapshot("a:1", 7, 5, true, 0, 1, 2)).isEqualTo(APPLIED);
        assertThat(cluster.stored("a:1", 7, 6, 3)).isEqualTo(APPLIED);
        assertThat(cluster.cached("a:1", 0, 1, 2, 3, 4)).isEqualTo(4);
        assertThat(cluster.removed("a:1", 7, 7, 2)).isEqualTo(APPLIED);
        assertThat(cluster.cached("a:1", 0, 1, 2, 3, 4)).isEqualTo(2);
    }

    @Test
    void aSnapshotBecomesVisibleOnlyWithItsLastPart() {
        cluster.hello("a:1", 7, NodeRole.DECODE);
        cluster.snapshot("a:1", 7, 5, true, 0, 1);
        cluster.snapshot("a:1", 7, 9, false, 10, 11);
        assertThat(cluster.cached("a:1", 0, 1)).isEqualTo(2);
        assertThat(cluster.cached("a:1", 10, 11)).isZero();
        cluster.snapshot("a:1", 7, 9, true, 12);
        assertThat(cluster.cached("a:1", 0, 1)).isZero();
        assertThat(cluster.cached("a:1", 10, 11, 12)).isEqualTo(3);
    }

    @Test
    void aGapAsksOnceForAResyncAndASnapshotHealsIt() {
        cluster.hello("a:1", 7, NodeRole.DECODE);
        cluster.snapshot("a:1", 7, 5, true, 0);
        assertThat(cluster.stored("a:1", 7, 7, 1)).isEqualTo(NEEDS_RESYNC);
        assertThat(cluster.stored("a:1", 7, 8, 2)).isEqualTo(AWAITING_SNAPSHOT);
        assertThat(cluster.index.knowsBlocksOf("a:1")).isFalse();
        assertThat(cluster.cached("a:1", 0))
                .as("stale knowledge stays until it is replaced")
                .isEqualTo(1);
        cluster.snapshot("a:1", 7, 8, true, 1, 2);
        assertThat(cluster.stored("a:1", 7, 9, 3)).isEqualTo(APPLIED);
        assertThat(cluster.cached("a:1", 1, 2, 3)).isEqualTo(3);
    }

    @Test
    void aRepeatedDeltaIsIgnored() {
        cluster.hello("a:1", 7, NodeRole.DECODE);
        cluster.snapshot("a:1", 7, 5, true, 0);
        cluster.stored("a:1", 7, 6, 1);
        assertThat(cluster.removed("a:1", 7, 6, 0)).isEqualTo(DUPLICATE);
        assertThat(cluster.cached("a:1", 0, 1)).isEqualTo(2);
    }

    @Test
    void aNewEpochVoidsWhatWasKnown() {
        cluster.hello("a:1", 7, NodeRole.DECODE);
        cluster.snapshot("a:1", 7, 5, true, 0, 1);
        cluster.load("a:1", TestingCluster.load(500, 3));
        cluster.hello("a:1", 8, NodeRole.DECODE);
        assertThat(cluster.cached("a:1", 0, 1)).isZero();
        assertThat(cluster.node("a:1").load()).isEqualTo(NodeLoad.UNKNOWN);
        assertThat(cluster.stored("a:1", 7, 6, 2)).isEqualTo(NEEDS_RESYNC);
    }

    @Test
    void aHeartbeatThatIsAheadOfWhatIsKnownAsksForAResync() {
        cluster.hello("a:1", 7, NodeRole.DECODE);
        cluster.snapshot("a:1", 7, 5, true, 0);
        assertThat(cluster.index.apply(new NodeChange.Heartbeat("a:1", 7, 5, false)))
                .isEqualTo(APPLIED);
        assertThat(cluster.index.apply(new NodeChange.Heartbeat("a:1", 7, 9, false)))
                .isEqualTo(NEEDS_RESYNC);
    }

    @Test
    void silenceMakesANodeSuspectThenGone() {
        cluster.join("a:1", TestingCluster.idle(), NodeRole.DECODE);
        cluster.stored("a:1", 1, 1, 0);
        NodeView view = cluster.node("a:1");
        assertThat(view.state(cluster.nowMillis + 3_499)).isEqualTo(NodeState.KNOWN);
        assertThat(view.state(cluster.nowMillis + 3_500)).isEqualTo(NodeState.SUSPECT);
        assertThat(view.takesWork(cluster.nowMillis + 3_500)).isFalse();
        assertThat(view.state(cluster.nowMillis + 10_500)).isEqualTo(NodeState.GONE);
        cluster.nowMillis += 10_500;
        cluster.index.expire();
        assertThat(cluster.index.view().nodes()).isEmpty();
        assertThat(cluster.stored("a:1", 1, 2, 1))
                .as("it speaks again after all")
                .isEqualTo(NEEDS_RESYNC);
    }

    @Test
    void aLostStreamMakesANodeSuspectAtOnceAndItsHelloBringsItBack() {
        cluster.join("a:1", TestingCluster.idle(), NodeRole.DECODE);
        cluster.stored("a:1", 1, 1, 0);
        cluster.index.apply(new NodeChange.Lost("a:1"));
        assertThat(cluster.node("a:1").state(cluster.nowMillis)).isEqualTo(NodeState.SUSPECT);
        cluster.hello("a:1", 1, 1, 10_000, false, NodeRole.DECODE);
        assertThat(cluster.node("a:1").state(cluster.nowMillis)).isEqualTo(NodeState.KNOWN);
        assertThat(cluster.cached("a:1", 0)).as("same epoch: knowledge goes on").isEqualTo(1);
        assertThat(cluster.stored("a:1", 1, 2, 1)).isEqualTo(APPLIED);
    }

    @Test
    void oneProcessAtTwoAddressesIsOneNode() {
        for (String address : List.of("decode:1", "10.0.0.1:1")) {
            cluster.index.apply(new NodeChange.Hello(
                    address,
                    1,
                    0,
                    "same",
                    Set.of(NodeRole.DECODE),
                    TestingCluster.MODEL,
                    TestingCluster.FINGERPRINT,
                    Map.of(),
                    1,
                    false));
        }
        assertThat(cluster.index.view().nodes()).hasSize(1);
    }

    @Test
    void memoryStaysBoundedHoweverOftenNodesComeAndGo() {
        TestingCluster small = new TestingCluster(new IndexLimits(1_000, 4));
        for (int round = 1; round < 300; round++) {
            String node = "n:" + (round % 4);
            small.index.apply(new NodeChange.Left(node));
            assertThat(small.hello(node, round, NodeRole.DECODE)).isEqualTo(APPLIED);
            small.snapshot(node, round, 0, true, TestingCluster.range(round, round + 200));
            assertThat(small.index.blocksKnown()).isLessThanOrEqualTo(1_000);
            assertThat(small.node(node).slot()).isLessThan(32);
        }
        assertThat(small.hello("n:4", 1, NodeRole.DECODE)).isEqualTo(REFUSED);
    }

    @Test
    void followsSeededRandomStreamsOfSeveralNodesExactly() {
        Random random = new Random(11);
        List<TreeSet<Integer>> truth = new ArrayList<>();
        long[] sequence = new long[3];
        long[] epoch = new long[3];
        for (int n = 0; n < 3; n++) {
            truth.add(new TreeSet<>());
            epoch[n] = 1;
            cluster.hello("n:" + n, 1, NodeRole.PREFILL);
            cluster.snapshot("n:" + n, 1, 0, true);
        }
        for (int step = 0; step < 20_000; step++) {
            int n = random.nextInt(3);
            String node = "n:" + n;
            TreeSet<Integer> held = truth.get(n);
            int length = held.size(); // blocks 0..length-1 of one chain: stored parent first, removed leaf first
            switch (random.nextInt(100)) {
                case 0 -> {
                    epoch[n]++;
                    sequence[n] = random.nextInt(1_000);
                    held.clear();
                    cluster.hello(node, epoch[n], NodeRole.PREFILL);
                    cluster.snapshot(node, epoch[n], sequence[n], true);
                }
                case 1 -> { // a lost event, noticed by the next one, healed by a snapshot
                    assertThat(cluster.stored(node, epoch[n], sequence[n] + 2, 5_000))
                            .isEqualTo(NEEDS_RESYNC);
                    cluster.snapshot(
                            node,
                            epoch[n],
                            sequence[n],
                            true,
                            held.stream().mapToInt(i -> i).toArray());
                }
                default -> {
                    if (length == 0 || random.nextInt(3) > 0) {
                        held.add(length);
                        cluster.stored(node, epoch[n], ++sequence[n], length);
                    } else {
                        held.remove(length - 1);
                        cluster.removed(node, epoch[n], ++sequence[n], length - 1);
                    }
                }
            }
            assertThat(cluster.cached(node, TestingCluster.range(0, 300))).isEqualTo(Math.min(300, held.size()));
        }
    }
}

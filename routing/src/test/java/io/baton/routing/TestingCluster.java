package io.baton.routing;

import io.baton.kv.SequenceFingerprint;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;

/** A cluster index with a clock that a test moves, and nodes that say what the test wants. */
final class TestingCluster {

    static final SequenceFingerprint FINGERPRINT = new SequenceFingerprint(
            new byte[32], "", "weights=f32,activations=f32,kv=f32", 1, "cpu", 16, "panel16", "none", new byte[32]);
    static final String MODEL = "tiny";
    static final PoolId POOL = PoolId.of(MODEL, FINGERPRINT);
    static final KvGeometry GEOMETRY = new KvGeometry(16, 4, 1_000);

    long nowMillis = 1_000_000;
    final InstantSource clock = () -> Instant.ofEpochMilli(nowMillis);
    final ClusterIndex index;

    TestingCluster() {
        this(new IndexLimits(100_000, 200));
    }

    TestingCluster(IndexLimits limits) {
        index = new ClusterIndex(clock, Liveness.DEFAULT, limits);
    }

    ClusterIndex.Applied hello(String node, long epoch, NodeRole... roles) {
        return hello(node, epoch, 0, 10_000, false, roles);
    }

    ClusterIndex.Applied hello(
            String node, long epoch, long sequence, int capacity, boolean draining, NodeRole... roles) {
        return index.apply(new NodeChange.Hello(
                node, epoch, sequence, node, Set.of(roles), MODEL, FINGERPRINT, Map.of(), capacity, draining));
    }

    /** Hello, an empty snapshot, and a load. */
    void join(String node, NodeLoad load, NodeRole... roles) {
        hello(node, 1, roles);
        snapshot(node, 1, 0, true);
        load(node, load);
    }

    ClusterIndex.Applied snapshot(String node, long epoch, long sequence, boolean last, int... blocks) {
        return index.apply(new NodeChange.Snapshot(node, epoch, sequence, keys(blocks), last));
    }

    ClusterIndex.Applied stored(String node, long epoch, long sequence, int... blocks) {
        return index.apply(new NodeChange.Stored(node, epoch, sequence, keys(blocks)));
    }

    ClusterIndex.Applied removed(String node, long epoch, long sequence, int... blocks) {
        return index.apply(new NodeChange.Removed(node, epoch, sequence, keys(blocks)));
    }

    void load(String node, NodeLoad load) {
        index.apply(new NodeChange.Load(node, load));
    }

    /** Moves time on without anybody falling silent. */
    void pass(long millis) {
        nowMillis += millis;
        for (NodeView node : index.view().nodes()) {
            index.apply(new NodeChange.Load(node.address(), node.load()));
        }
    }

    NodeView node(String address) {
        return index.view().nodes().stream()
                .filter(view -> view.address().equals(address))
                .findFirst()
                .orElseThrow();
    }

    int cached(String address, int... blocks) {
        return index.view().cachedBlocks(java.util.List.of(node(address)), keys(blocks))[0];
    }

    static BlockKeys keys(int... blocks) {
        return BlockKeys.ofWords(IntStream.of(blocks)
                .mapToLong(i -> i)
                .flatMap(i -> java.util.stream.LongStream.of(i * 31, i))
                .toArray());
    }

    static int[] range(int from, int to) {
        return IntStream.range(from, to).toArray();
    }

    /** A request with as many tokens and the usable blocks of its prefix. */
    static RequestShape request(int tokens, int... blocks) {
        return request(PrefillPlace.AUTO, true, tokens, blocks);
    }

    static RequestShape request(PrefillPlace place, boolean localFallback, int tokens, int... blocks) {
        return new RequestShape(POOL, tokens, 10, keys(blocks), place, localFallback, OptionalLong.empty(), Set.of());
    }

    /** Idle, with 1,000 tokens/s of prefill, 10 ms steps and 1 MB/s of receiving, and 5,000 free blocks. */
    static NodeLoad idle() {
        return load(0, 0);
    }

    static NodeLoad load(long queuedTokens, int running) {
        return new NodeLoad(queuedTokens, running, 0, 5_000, 0, 0, 1_000, 10_000, 1e6);
    }

    static NodeLoad waiting(int running, int waiting) {
        return new NodeLoad(0, running, waiting, 5_000, 0, 0, 1_000, 10_000, 1e6);
    }
}

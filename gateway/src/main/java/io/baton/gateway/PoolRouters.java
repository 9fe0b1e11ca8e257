package io.baton.gateway;

import io.baton.kv.BlockChain;
import io.baton.kv.SequenceFingerprint;
import io.baton.kv.SequenceRoot;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.PrefillMode;
import io.baton.routing.BlockKeys;
import io.baton.routing.ClusterView;
import io.baton.routing.CostModel;
import io.baton.routing.CostParameters;
import io.baton.routing.Pool;
import io.baton.routing.PoolId;
import io.baton.routing.PrefillPlace;
import io.baton.routing.RequestShape;
import io.baton.routing.RouteDecision;
import io.baton.routing.Router;
import io.baton.routing.RouterOptions;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Finds the pool that serves a request and the way within it; one router per pool, because block size and KV bytes are
 * the pool's. Thread-safe.
 */
final class PoolRouters {

    private final ServedModel model;
    private final CostParameters costs;
    private final Cluster cluster;
    private final InstantSource clock;
    private final long seed;
    private final Map<PoolId, Router> routers = new ConcurrentHashMap<>();

    PoolRouters(ServedModel model, CostParameters costs, Cluster cluster, InstantSource clock, long seed) {
        this.model = model;
        this.costs = costs;
        this.cluster = cluster;
        this.clock = clock;
        this.seed = seed;
    }

    /** The pools of this model, those with most decode nodes to give work to first. */
    static List<Pool> serving(ServedModel model, ClusterView view, long nowMillis) {
        List<Pool> serving = new ArrayList<>();
        for (Pool pool : view.pools().values()) {
            if (!pool.decode().isEmpty()
                    && model.mismatch(pool.id().model(), pool.fingerprint()).isEmpty()) {
                serving.add(pool);
            }
        }
        serving.sort(Comparator.comparingInt((Pool pool) -> -pool.decodeNodesTakingWork(nowMillis))
                .thenComparing(pool -> pool.id().fingerprint()));
        return serving;
    }

    /** The pool that would serve a request now, if any would. */
    Optional<Pool> preferred() {
        return serving(model, cluster.view(), clock.millis()).stream().findFirst();
    }

    /**
     * The pools that may serve this request, best first; at least one.
     *
     * @throws StatusRuntimeException FAILED_PRECONDITION when it must be one that nobody has, UNAVAILABLE when there is
     *     none
     */
    List<Pool> pools(GenerateOrder order) {
        List<Pool> pools = serving(model, cluster.view(), clock.millis());
        if (pools.isEmpty()) {
            throw Status.UNAVAILABLE
                    .withDescription(
                            "no decode node that serves model %s is known (%s); start one, or check --decode-nodes"
                                    .formatted(model.name(), cluster.summary()))
                    .asRuntimeException();
        }
        if (order.fingerprint().isEmpty()) {
            return pools;
        }
        SequenceFingerprint wanted = order.fingerprint().get();
        for (Pool pool : pools) {
            if (pool.fingerprint().equals(wanted)) {
                return List.of(pool);
            }
        }
        String difference =
                wanted.differenceFrom(pools.getFirst().fingerprint()).orElse("");
        throw Status.FAILED_PRECONDITION
                .withDescription(
                        "fingerprint: no node computes exactly that: %s; start the request anew".formatted(difference))
                .asRuntimeException();
    }

    /** The keys of the whole blocks that a cache may have of this sequence. */
    static BlockKeys reusable(Pool pool, byte[] salt, int[] sequence) {
        int blockTokens = pool.fingerprint().blockTokens();
        SequenceRoot root = SequenceRoot.of(pool.fingerprint().digest(), "", salt, SequenceRoot.LOSSLESS);
        return BlockKeys.ofHashes(
                BlockChain.of(root, sequence, blockTokens), BlockChain.reusableBlocks(sequence.length, blockTokens));
    }

    /**
     * The way of a request for so many choices that are to be generated yet, of each of which {@code knownOutput}
     * tokens are computed with the prompt.
     */
    RouteDecision choose(
            GenerateOrder order, Pool pool, BlockKeys prefix, int choices, int knownOutput, Set<String> excluded) {
        RequestShape shape = new RequestShape(
                pool.id(),
                order.prompt().length + knownOutput,
                order.maxOutputTokens() - knownOutput,
                choices,
                prefix,
                place(order.request().getPrefillMode()),
                order.request().getFallbackPolicy() == FallbackPolicy.FALLBACK_POLICY_UNSPECIFIED
                        || order.request().getFallbackPolicy() == FallbackPolicy.FALLBACK_POLICY_LOCAL_PREFILL,
                timeLeftMicros(),
                excluded);
        return router(pool).choose(shape, cluster.view(), clock);
    }

    private Router router(Pool pool) {
        if (routers.size() > 64) {
            routers.keySet().retainAll(cluster.view().pools().keySet()); // pools of upgrades long past
        }
        return routers.computeIfAbsent(
                pool.id(),
                _ -> new Router(
                        new CostModel(model.geometry(pool.fingerprint()), costs), RouterOptions.withSeed(seed)));
    }

    private static OptionalLong timeLeftMicros() {
        Deadline deadline = Context.current().getDeadline();
        return deadline == null
                ? OptionalLong.empty()
                : OptionalLong.of(Math.max(0, deadline.timeRemaining(TimeUnit.MICROSECONDS)));
    }

    private static PrefillPlace place(PrefillMode mode) {
        return switch (mode) {
            case PREFILL_MODE_LOCAL -> PrefillPlace.LOCAL;
            case PREFILL_MODE_REMOTE -> PrefillPlace.REMOTE;
            case PREFILL_MODE_UNSPECIFIED, PREFILL_MODE_AUTO -> PrefillPlace.AUTO;
            case UNRECOGNIZED -> throw new IllegalArgumentException("checked before");
        };
    }
}

package io.baton.routing;

import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What each way costs one request: the cost model applied to the nodes' reports, their cached prefixes, and this
 * router's own recent decisions, with a little noise. Reused from request to request; confined to its router.
 */
final class WayCosts {

    private static final RequestShape NOTHING = new RequestShape(
            new PoolId("", ""), 1, 0, BlockKeys.NONE, PrefillPlace.AUTO, true, OptionalLong.empty(), Set.of());

    private final CostModel costs;
    private final RecentDecisions recent;
    private final PredictedBlocks predicted;
    private final long seed;
    private RequestShape shape = NOTHING;
    private long nowMillis;
    private long decision;
    private int history; // longest prefix that any node of the pool has cached, in tokens
    private int[] cachedBySlot = new int[0];

    WayCosts(CostModel costs, RouterOptions options) {
        this.costs = costs;
        this.recent = new RecentDecisions(options.recentDecisions(), options.recentMillis(), options.settleMillis());
        this.predicted = new PredictedBlocks(options.predictedBlocks(), options.predictedMillis());
        this.seed = options.seed();
    }

    /** Turns to a request; what the other methods say is about it from now on. */
    void look(RequestShape newShape, ClusterView view, Pool pool, long now, long decisionNumber) {
        shape = newShape;
        nowMillis = now;
        decision = decisionNumber;
        if (cachedBySlot.length < view.slotLimit()) {
            cachedBySlot = new int[view.slotLimit()];
        }
        view.cachedPrefixes(shape.prefix(), predicted, now, cachedBySlot);
        recent.sumUp(pool.prefill(), pool.decode(), cachedBySlot.length, now);
        history = Math.max(longestCached(pool.prefill()), longestCached(pool.decode()));
    }

    private int longestCached(List<NodeView> nodes) {
        int longest = 0;
        for (int i = 0; i < nodes.size(); i++) {
            longest = Math.max(longest, cachedTokens(nodes.get(i)));
        }
        return longest;
    }

    /** Counts the way as work and cached blocks to come. */
    void taken(Way way) {
        NodeView prefills = way.prefills();
        int blocks = costs.blocksFor(shape) - cachedBySlot[way.decode().slot()];
        recent.add(
                nowMillis,
                prefills.slot(),
                way.decode().slot(),
                shape.tokens() - cachedTokens(prefills),
                Math.max(0, blocks));
        predicted.expect(
                shape.prefix(),
                way.prefill() == null ? -1 : prefills.slot(),
                way.decode().slot(),
                nowMillis);
    }

    Way local(NodeView decode) {
        Pending pending = recent.of(decode);
        int cached = cachedTokens(decode);
        CostParts parts = costs.local(shape, decode.load(), ageMicros(decode), pending, cached);
        double disturbance = costs.disturbanceMicros(decode.load(), shape.tokens() - cached);
        double after = costs.decodeMicros(shape, decode.load(), pending);
        double score = (parts.ttftMicros() + disturbance + after) * noise(decode);
        return new Way(decode, null, parts, costs.itlMicros(decode.load(), pending), disturbance, score);
    }

    Way remote(NodeView prefill, NodeView decode) {
        Pending pending = recent.of(decode);
        CostParts parts = remote(prefill, decode.load(), pending, cachedTokens(decode));
        double after = costs.decodeMicros(shape, decode.load(), pending);
        double score = parts.prefillMicros() * noise(prefill)
                + (parts.admission() + parts.firstStep() + after) * noise(decode);
        return new Way(decode, prefill, parts, costs.itlMicros(decode.load(), pending), 0, score);
    }

    /** A prefill node by itself, as if the decode node lacked nothing. */
    double prefillSide(NodeView prefill) {
        return remote(prefill, NodeLoad.UNKNOWN, Pending.NONE, shape.tokens()).prefillMicros() * noise(prefill);
    }

    /** A decode node by itself, prefilling or served by the best prefill node, whichever is less. */
    double decodeSide(NodeView decode, double bestPrefill) {
        Way local = local(decode);
        double remote = local.parts().admission()
                + local.parts().firstStep()
                + costs.decodeMicros(shape, decode.load(), recent.of(decode))
                + costs.exposedTransferMicros(shape.tokens() - cachedTokens(decode), bestPrefill, decode.load())
                + bestPrefill;
        return Math.min(local.score(), remote * noise(decode));
    }

    /** Until one of the requests that wait at a full node gets its place. */
    double placeMicros(NodeView decode) {
        return costs.admissionMicros(decode.load(), blocksNeeded(), recent.of(decode))
                / (decode.load().waitingSequences() + 1);
    }

    int blocksNeeded() {
        return costs.blocksFor(shape);
    }

    int cachedTokens(NodeView node) {
        return cachedBySlot[node.slot()] * costs.geometry().blockTokens();
    }

    boolean wholePrefixCached(NodeView node) {
        return shape.prefix().count() > 0
                && cachedBySlot[node.slot()] == shape.prefix().count();
    }

    private CostParts remote(NodeView prefill, NodeLoad decode, Pending decodePending, int decodeCached) {
        return costs.remote(
                shape,
                prefill.load(),
                ageMicros(prefill),
                recent.of(prefill),
                cachedTokens(prefill),
                decode,
                decodePending,
                decodeCached,
                history);
    }

    private double ageMicros(NodeView node) {
        return Math.max(0, nowMillis - node.loadMillis()) * 1e3;
    }

    /** A factor in [1, 1 + noise), the same for a node throughout one choice (SplitMix64 of seed, choice and slot). */
    private double noise(NodeView node) {
        long z = seed + (decision * 0x1_0001L + node.slot() + 1) * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return 1 + costs.parameters().noise() * ((z ^ (z >>> 31)) >>> 11) * 0x1p-53;
    }
}

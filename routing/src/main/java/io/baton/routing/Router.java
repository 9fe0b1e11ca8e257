package io.baton.routing;

import io.baton.routing.RouteDecision.Cause;
import io.baton.routing.RouteDecision.Refusal;
import io.baton.routing.RouteDecision.Route;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the decode node, and the prefill nodes it shall try, with the least estimated time to the answer's end.
 *
 * <p>Each side is scored on its own, the best few of each are joined, and the pairs compete with local prefill on each of
 * those decode nodes. Only the time to first token differs by prefill node; on the decode side the time between tokens
 * counts too, so that a cached prefix alone never draws all requests to one node. Own recent decisions count as load and as
 * cached blocks until the nodes' reports show them. Any thread; one choice at a time.
 */
public final class Router implements RoutePolicy {

    private final CostModel costs;
    private final RouterOptions options;
    private final RecentDecisions recent;
    private final PredictedBlocks predicted;
    private final Shortlist prefillSide;
    private final Shortlist decodeSide;
    private int[] cachedBySlot = new int[0];
    private long decisions;

    public Router(CostModel costs, RouterOptions options) {
        this.costs = costs;
        this.options = options;
        this.recent =
                new RecentDecisions(options.recentDecisions(), options.recentMillis(), options.settleMillis());
        this.predicted = new PredictedBlocks(options.predictedBlocks(), options.predictedMillis());
        this.prefillSide = new Shortlist(options.shortlist());
        this.decodeSide = new Shortlist(options.shortlist());
    }

    public CostModel costs() {
        return costs;
    }

    /** Decides, and counts the decision as load to come. */
    @Override
    public synchronized RouteDecision choose(RequestShape shape, ClusterView view, InstantSource now) {
        long nowMillis = now.millis();
        Choice choice = compare(shape, view, nowMillis, null);
        decisions++;
        Pair best = choice.best();
        if (best != null) {
            NodeView prefills = best.prefill() == null ? best.decode() : best.prefill();
            int computed = shape.tokens() - cachedTokens(prefills);
            int blocks = costs.blocksFor(shape.longest()) - cachedBySlot[best.decode().slot()];
            recent.add(nowMillis, prefills.slot(), best.decode().slot(), computed, Math.max(0, blocks));
            predicted.expect(
                    shape.prefix(), best.prefill() == null ? -1 : prefills.slot(), best.decode().slot(), nowMillis);
        }
        return choice.decision();
    }

    /** What {@link #choose} would decide now, with every way it would compare; nothing is counted. */
    public synchronized Explanation explain(RequestShape shape, ClusterView view, InstantSource now) {
        List<Pair> compared = new ArrayList<>();
        RouteDecision decision =
                compare(shape, view, now.millis(), compared).decision();
        compared.sort(Comparator.comparingDouble(Pair::score));
        return new Explanation(decision, compared.stream().map(this::candidate).toList());
    }

    private record Choice(RouteDecision decision, @Nullable Pair best) {}

    private record Pair(
            NodeView decode,
            @Nullable NodeView prefill,
            CostParts parts,
            double itl,
            double disturbance,
            double score) {}

    private Choice compare(RequestShape shape, ClusterView view, long nowMillis, @Nullable List<Pair> compared) {
        Pool pool = view.pools().get(shape.pool());
        if (pool == null) {
            return refusal(Cause.NO_POOL, "no node is known that serves model %s with fingerprint %s; start one, or look "
                    .formatted(shape.pool().model(), shape.pool().fingerprint())
                    + "why its event stream is not up", 0);
        }
        lookUp(shape, view, pool, nowMillis);
        boolean remoteWanted = shape.prefill() != PrefillPlace.LOCAL;
        int history = scorePrefillSide(shape, pool, nowMillis, remoteWanted);
        Refusal noDecode = scoreDecodeSide(shape, pool, nowMillis);
        if (noDecode != null) {
            return new Choice(noDecode, null);
        }
        boolean localAllowed = shape.prefill() != PrefillPlace.REMOTE;
        Pair best = join(shape, history, nowMillis, remoteWanted, localAllowed, compared);
        boolean noPrefillNode = remoteWanted && prefillSide.size() == 0;
        if (best == null && shape.localFallback()) {
            noPrefillNode = true; // the only prefill node may be the decode node itself
            best = join(shape, history, nowMillis, false, true, compared);
        }
        if (best == null) {
            return refusal(
                    Cause.NO_PREFILL_NODE,
                    "remote prefill was asked for and none of the pool's %d prefill nodes can be used; allow local prefill "
                            .formatted(pool.prefill().size())
                            + "or start a prefill node",
                    0);
        }
        if (missesDeadline(shape, best)) {
            double late = best.parts().ttftMicros() - shape.timeLeftMicros().orElse(0);
            return refusal(
                    Cause.DEADLINE,
                    "the first token is estimated to take %.0f ms and %.0f ms are left; allow more time or come back later"
                            .formatted(best.parts().ttftMicros() / 1e3, shape.timeLeftMicros().orElse(0) / 1e3),
                    retryMillis(late));
        }
        return new Choice(route(shape, best, history, nowMillis, noPrefillNode), best);
    }

    private static Choice refusal(Cause cause, String detail, long retryAfterMillis) {
        return new Choice(new Refusal(cause, detail, retryAfterMillis), null);
    }

    private void lookUp(RequestShape shape, ClusterView view, Pool pool, long nowMillis) {
        if (cachedBySlot.length < view.slotLimit()) {
            cachedBySlot = new int[view.slotLimit()];
        }
        view.cachedPrefixes(shape.prefix(), predicted, nowMillis, cachedBySlot);
        recent.sumUp(pool.prefill(), pool.decode(), cachedBySlot.length, nowMillis);
    }

    /** Ranks the prefill nodes; returns the longest history that any node of the pool has cached, in tokens. */
    private int scorePrefillSide(RequestShape shape, Pool pool, long nowMillis, boolean wanted) {
        prefillSide.clear();
        int history = 0;
        for (int i = 0; i < pool.decode().size(); i++) {
            history = Math.max(history, cachedTokens(pool.decode().get(i)));
        }
        for (int i = 0; i < pool.prefill().size(); i++) {
            history = Math.max(history, cachedTokens(pool.prefill().get(i)));
        }
        for (int i = 0; wanted && i < pool.prefill().size(); i++) {
            NodeView node = pool.prefill().get(i);
            if (node.takesWork(nowMillis) && !shape.excluded().contains(node.address())) {
                CostParts alone = remote(shape, node, NodeLoad.UNKNOWN, Pending.NONE, shape.tokens(), history, nowMillis);
                prefillSide.offer(node, alone.prefillMicros() * noise(node));
            }
        }
        return history;
    }

    private @Nullable Refusal scoreDecodeSide(RequestShape shape, Pool pool, long nowMillis) {
        decodeSide.clear();
        int alive = 0;
        int fitting = 0;
        int largest = 0;
        double soonest = Double.POSITIVE_INFINITY;
        int needed = costs.blocksFor(shape.longest());
        double bestPrefill = prefillSide.size() > 0 ? prefillSide.cost(0) : Double.POSITIVE_INFINITY;
        for (int i = 0; i < pool.decode().size(); i++) {
            NodeView node = pool.decode().get(i);
            if (!node.takesWork(nowMillis) || shape.excluded().contains(node.address())) {
                continue;
            }
            alive++;
            largest = Math.max(largest, node.blockCapacity());
            if (node.blockCapacity() > 0 && needed > node.blockCapacity()) {
                continue;
            }
            fitting++;
            Pending pending = recent.of(node);
            if (node.load().waitingSequences() >= options.maxWaiting()) {
                soonest = Math.min(
                        soonest,
                        costs.admissionMicros(node.load(), needed, pending) / (node.load().waitingSequences() + 1));
                continue;
            }
            Pair local = local(shape, node, pending, nowMillis);
            int missing = shape.tokens() - cachedTokens(node);
            double remote = local.parts().admission()
                    + local.parts().firstStep()
                    + costs.decodeMicros(shape, node.load(), pending)
                    + costs.exposedTransferMicros(missing, bestPrefill, node.load())
                    + bestPrefill;
            decodeSide.offer(node, Math.min(local.score(), remote * noise(node)));
        }
        if (decodeSide.size() > 0) {
            return null;
        }
        if (alive == 0) {
            return new Refusal(
                    Cause.NO_DECODE_NODE,
                    "the pool's %d decode nodes are all silent, draining or have failed this request; start one or wait"
                            .formatted(pool.decode().size()),
                    1_000);
        }
        if (fitting == 0) {
            return new Refusal(
                    Cause.NEVER_FITS,
                    "the sequence needs %d blocks and the largest decode node has %d; lower max_tokens or shorten the prompt"
                            .formatted(needed, largest),
                    0);
        }
        return new Refusal(
                Cause.OVERLOADED,
                "each of %d decode nodes has %d or more requests waiting; come back later"
                        .formatted(fitting, options.maxWaiting()),
                retryMillis(soonest));
    }

    private @Nullable Pair join(
            RequestShape shape,
            int history,
            long nowMillis,
            boolean remoteWanted,
            boolean localAllowed,
            @Nullable List<Pair> compared) {
        Pair best = null;
        for (int d = 0; d < decodeSide.size(); d++) {
            NodeView decode = decodeSide.node(d);
            Pending pending = recent.of(decode);
            for (int p = localAllowed ? -1 : 0; p < (remoteWanted ? prefillSide.size() : 0); p++) {
                if (p >= 0 && prefillSide.node(p).address().equals(decode.address())) {
                    continue;
                }
                Pair pair = p < 0
                        ? local(shape, decode, pending, nowMillis)
                        : remote(shape, prefillSide.node(p), decode, pending, history, nowMillis);
                if (compared != null) {
                    compared.add(pair);
                }
                best = best == null || better(shape, pair, best) ? pair : best;
            }
        }
        return best;
    }

    /** In time goes before late; then the lower score. */
    private static boolean better(RequestShape shape, Pair pair, Pair than) {
        if (shape.timeLeftMicros().isPresent()) {
            double left = shape.timeLeftMicros().getAsLong();
            boolean inTime = pair.parts().ttftMicros() <= left;
            if (inTime != than.parts().ttftMicros() <= left) {
                return inTime;
            }
        }
        return pair.score() < than.score();
    }

    /** Only what was measured may refuse: a prior that is wrong must not keep a request from being tried. */
    private static boolean missesDeadline(RequestShape shape, Pair best) {
        NodeView prefills = best.prefill() == null ? best.decode() : best.prefill();
        return shape.timeLeftMicros().isPresent()
                && best.parts().ttftMicros() > shape.timeLeftMicros().getAsLong()
                && prefills.load().prefillTokensPerSecond() > 0
                && best.decode().load().decodeStepMicros() > 0;
    }

    private Pair local(RequestShape shape, NodeView decode, Pending pending, long nowMillis) {
        int cached = cachedTokens(decode);
        CostParts parts = costs.local(shape, decode.load(), ageMicros(decode, nowMillis), pending, cached);
        double disturbance = costs.disturbanceMicros(decode.load(), shape.tokens() - cached);
        double after = costs.decodeMicros(shape, decode.load(), pending);
        double score = (parts.ttftMicros() + disturbance + after) * noise(decode);
        return new Pair(decode, null, parts, costs.itlMicros(decode.load(), pending), disturbance, score);
    }

    private Pair remote(
            RequestShape shape, NodeView prefill, NodeView decode, Pending pending, int history, long nowMillis) {
        CostParts parts = remote(shape, prefill, decode.load(), pending, cachedTokens(decode), history, nowMillis);
        double after = costs.decodeMicros(shape, decode.load(), pending);
        double score = parts.prefillMicros() * noise(prefill)
                + (parts.admission() + parts.firstStep() + after) * noise(decode);
        return new Pair(decode, prefill, parts, costs.itlMicros(decode.load(), pending), 0, score);
    }

    private CostParts remote(
            RequestShape shape,
            NodeView prefill,
            NodeLoad decode,
            Pending decodePending,
            int decodeCached,
            int history,
            long nowMillis) {
        return costs.remote(
                shape,
                prefill.load(),
                ageMicros(prefill, nowMillis),
                recent.of(prefill),
                cachedTokens(prefill),
                decode,
                decodePending,
                decodeCached,
                history);
    }

    private Route route(RequestShape shape, Pair best, int history, long nowMillis, boolean noPrefillNode) {
        List<PrefillCandidate> ranked = new ArrayList<>(options.rankedPrefillNodes());
        NodeView decode = best.decode();
        if (best.prefill() != null) {
            ranked.add(prefillCandidate(best.prefill(), best.parts()));
        }
        for (int p = 0; p < prefillSide.size() && ranked.size() < options.rankedPrefillNodes(); p++) {
            NodeView node = prefillSide.node(p);
            if (!node.equals(best.prefill()) && !node.address().equals(decode.address())) {
                Pair pair = remote(shape, node, decode, recent.of(decode), history, nowMillis);
                ranked.add(prefillCandidate(node, pair.parts()));
            }
        }
        return new Route(
                decode.address(),
                cachedTokens(decode),
                best.prefill() != null,
                ranked,
                reason(shape, best, noPrefillNode),
                best.parts(),
                best.itl());
    }

    private RouteReason reason(RequestShape shape, Pair best, boolean noPrefillNode) {
        if (noPrefillNode) {
            return RouteReason.NO_PREFILL_NODE;
        }
        if (shape.prefill() != PrefillPlace.AUTO) {
            return RouteReason.REQUESTED;
        }
        if (best.prefill() != null) {
            return RouteReason.COST_REMOTE;
        }
        boolean allCached = shape.prefix().count() > 0
                && cachedBySlot[best.decode().slot()] == shape.prefix().count();
        return allCached ? RouteReason.CACHED : RouteReason.COST_LOCAL;
    }

    private PrefillCandidate prefillCandidate(NodeView node, CostParts parts) {
        return new PrefillCandidate(node.address(), Math.round(parts.prefillMicros()), cachedTokens(node));
    }

    private Explanation.Candidate candidate(Pair pair) {
        NodeView prefill = pair.prefill();
        return new Explanation.Candidate(
                pair.decode().address(),
                Optional.ofNullable(prefill).map(NodeView::address),
                cachedTokens(pair.decode()),
                prefill == null ? 0 : cachedTokens(prefill),
                pair.parts(),
                pair.itl(),
                pair.disturbance(),
                pair.score());
    }

    private int cachedTokens(NodeView node) {
        return cachedBySlot[node.slot()] * costs.geometry().blockTokens();
    }

    private static double ageMicros(NodeView node, long nowMillis) {
        return Math.max(0, nowMillis - node.loadMillis()) * 1e3;
    }

    private static long retryMillis(double micros) {
        return Math.clamp(Math.round(micros / 1e3), 100, 30_000);
    }

    /** A factor in [1, 1 + noise), the same for a node throughout one choice (SplitMix64 of seed, choice and slot). */
    private double noise(NodeView node) {
        long z = options.seed() + (decisions * 0x1_0001L + node.slot() + 1) * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return 1 + costs.parameters().noise() * ((z ^ (z >>> 31)) >>> 11) * 0x1p-53;
    }
}

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
 * <p>Each side is scored on its own, the best few of each are joined, and the pairs compete with local prefill on each
 * of those decode nodes. Only the time to first token differs by prefill node; on the decode side the time between
 * tokens counts too, so that a cached prefix alone never draws all requests to one node. Own recent decisions count as
 * load and as cached blocks until the nodes' reports show them. Any thread; one choice at a time.
 */
public final class Router implements RoutePolicy {

    private final CostModel costs;
    private final RouterOptions options;
    private final WayCosts ways;
    private final Shortlist prefillSide;
    private final Shortlist decodeSide;
    private long decisions;

    public Router(CostModel costs, RouterOptions options) {
        this.costs = costs;
        this.options = options;
        this.ways = new WayCosts(costs, options);
        this.prefillSide = new Shortlist(options.shortlist());
        this.decodeSide = new Shortlist(options.shortlist());
    }

    public CostModel costs() {
        return costs;
    }

    /** Decides, and counts the decision as load to come. */
    @Override
    public synchronized RouteDecision choose(RequestShape shape, ClusterView view, InstantSource now) {
        Choice choice = compare(shape, view, now.millis(), null);
        decisions++;
        Way best = choice.best();
        if (best != null) {
            ways.taken(best);
        }
        return choice.decision();
    }

    /** What {@link #choose} would decide now, with every way it would compare; nothing is counted. */
    public synchronized Explanation explain(RequestShape shape, ClusterView view, InstantSource now) {
        List<Way> compared = new ArrayList<>();
        RouteDecision decision = compare(shape, view, now.millis(), compared).decision();
        compared.sort(Comparator.comparingDouble(Way::score));
        return new Explanation(decision, compared.stream().map(this::candidate).toList());
    }

    private record Choice(RouteDecision decision, @Nullable Way best) {}

    private Choice compare(RequestShape shape, ClusterView view, long nowMillis, @Nullable List<Way> compared) {
        Pool pool = view.pools().get(shape.pool());
        if (pool == null) {
            return refusal(
                    Cause.NO_POOL,
                    "no node is known that serves model %s with fingerprint %s; start one, or look why its event stream is down"
                            .formatted(shape.pool().model(), shape.pool().fingerprint()),
                    0);
        }
        ways.look(shape, view, pool, nowMillis, decisions);
        boolean remoteWanted = shape.prefill() != PrefillPlace.LOCAL;
        listPrefillSide(shape, pool, nowMillis, remoteWanted);
        Refusal noDecode = listDecodeSide(shape, pool, nowMillis);
        if (noDecode != null) {
            return new Choice(noDecode, null);
        }
        boolean localAllowed = shape.prefill() != PrefillPlace.REMOTE;
        boolean noPrefillNode = remoteWanted && prefillSide.size() == 0;
        Way best = join(shape, remoteWanted, localAllowed, compared);
        if (best == null && shape.localFallback()) {
            noPrefillNode = true; // the only prefill node may be the decode node itself
            best = join(shape, false, true, compared);
        }
        if (best == null) {
            return refusal(
                    Cause.NO_PREFILL_NODE,
                    "remote prefill was asked for and none of the pool's %d prefill nodes can be used%s; allow local prefill or start a prefill node"
                            .formatted(pool.prefill().size(), otherFunction(pool, view)),
                    0);
        }
        if (missesDeadline(shape, best)) {
            long left = shape.timeLeftMicros().orElse(0);
            return refusal(
                    Cause.DEADLINE,
                    "the first token is estimated to take %.0f ms and %.0f ms are left; allow more time or come back later"
                            .formatted(best.parts().ttftMicros() / 1e3, left / 1e3),
                    retryMillis(best.parts().ttftMicros() - left));
        }
        return new Choice(route(shape, best, noPrefillNode), best);
    }

    /** What keeps a prefill node of the same model out of this pool, in words; empty when there is none. */
    private static String otherFunction(Pool pool, ClusterView view) {
        for (Pool other : view.pools().values()) {
            if (other.id().model().equals(pool.id().model())
                    && !other.prefill().isEmpty()
                    && !other.id().equals(pool.id())) {
                return " (%s computes another function: %s)"
                        .formatted(
                                other.prefill().getFirst().address(),
                                pool.fingerprint()
                                        .differenceFrom(other.fingerprint())
                                        .orElse("nothing"));
            }
        }
        return "";
    }

    private static Choice refusal(Cause cause, String detail, long retryAfterMillis) {
        return new Choice(new Refusal(cause, detail, retryAfterMillis), null);
    }

    private void listPrefillSide(RequestShape shape, Pool pool, long nowMillis, boolean wanted) {
        prefillSide.clear();
        for (int i = 0; wanted && i < pool.prefill().size(); i++) {
            NodeView node = pool.prefill().get(i);
            if (usable(node, shape, nowMillis)) {
                prefillSide.offer(node, ways.prefillSide(node));
            }
        }
    }

    private @Nullable Refusal listDecodeSide(RequestShape shape, Pool pool, long nowMillis) {
        decodeSide.clear();
        int alive = 0;
        int fitting = 0;
        int largest = 0;
        double soonest = Double.POSITIVE_INFINITY;
        int needed = ways.blocksNeeded();
        double bestPrefill = prefillSide.size() > 0 ? prefillSide.cost(0) : Double.POSITIVE_INFINITY;
        for (int i = 0; i < pool.decode().size(); i++) {
            NodeView node = pool.decode().get(i);
            if (!usable(node, shape, nowMillis)) {
                continue;
            }
            alive++;
            largest = Math.max(largest, node.blockCapacity());
            if (node.blockCapacity() > 0 && needed > node.blockCapacity()) {
                continue;
            }
            fitting++;
            if (node.load().waitingSequences() >= options.maxWaiting()) {
                soonest = Math.min(soonest, ways.placeMicros(node));
            } else {
                decodeSide.offer(node, ways.decodeSide(node, bestPrefill));
            }
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

    private static boolean usable(NodeView node, RequestShape shape, long nowMillis) {
        return node.takesWork(nowMillis) && !shape.excluded().contains(node.address());
    }

    private @Nullable Way join(
            RequestShape shape, boolean remoteWanted, boolean localAllowed, @Nullable List<Way> compared) {
        Way best = null;
        for (int d = 0; d < decodeSide.size(); d++) {
            NodeView decode = decodeSide.node(d);
            for (int p = localAllowed ? -1 : 0; p < (remoteWanted ? prefillSide.size() : 0); p++) {
                if (p >= 0 && prefillSide.node(p).address().equals(decode.address())) {
                    continue; // a node with both roles prefills locally
                }
                Way way = p < 0 ? ways.local(decode) : ways.remote(prefillSide.node(p), decode);
                if (compared != null) {
                    compared.add(way);
                }
                best = best == null || better(shape, way, best) ? way : best;
            }
        }
        return best;
    }

    /** In time goes before late; then the lower score. */
    private static boolean better(RequestShape shape, Way way, Way than) {
        if (shape.timeLeftMicros().isPresent()) {
            double left = shape.timeLeftMicros().getAsLong();
            boolean inTime = way.parts().ttftMicros() <= left;
            if (inTime != than.parts().ttftMicros() <= left) {
                return inTime;
            }
        }
        return way.score() < than.score();
    }

    /** Only what was measured may refuse: a prior that is wrong must not keep a request from being tried. */
    private static boolean missesDeadline(RequestShape shape, Way best) {
        return shape.timeLeftMicros().isPresent()
                && best.parts().ttftMicros() > shape.timeLeftMicros().getAsLong()
                && best.prefills().load().prefillTokensPerSecond() > 0
                && best.decode().load().decodeStepMicros() > 0;
    }

    private Route route(RequestShape shape, Way best, boolean noPrefillNode) {
        List<PrefillCandidate> ranked = new ArrayList<>(options.rankedPrefillNodes());
        NodeView decode = best.decode();
        if (best.prefill() != null) {
            ranked.add(prefillCandidate(best.prefill(), best.parts()));
        }
        for (int p = 0; p < prefillSide.size() && ranked.size() < options.rankedPrefillNodes(); p++) {
            NodeView node = prefillSide.node(p);
            if (!node.equals(best.prefill()) && !node.address().equals(decode.address())) {
                ranked.add(prefillCandidate(node, ways.remote(node, decode).parts()));
            }
        }
        return new Route(
                decode.address(),
                ways.cachedTokens(decode),
                best.prefill() != null,
                ranked,
                reason(shape, best, noPrefillNode),
                best.parts(),
                best.itl());
    }

    private RouteReason reason(RequestShape shape, Way best, boolean noPrefillNode) {
        if (noPrefillNode) {
            return RouteReason.NO_PREFILL_NODE;
        }
        if (shape.prefill() != PrefillPlace.AUTO) {
            return RouteReason.REQUESTED;
        }
        if (best.prefill() != null) {
            return RouteReason.COST_REMOTE;
        }
        return ways.wholePrefixCached(best.decode()) ? RouteReason.CACHED : RouteReason.COST_LOCAL;
    }

    private PrefillCandidate prefillCandidate(NodeView node, CostParts parts) {
        return new PrefillCandidate(node.address(), Math.round(parts.prefillMicros()), ways.cachedTokens(node));
    }

    private Explanation.Candidate candidate(Way way) {
        NodeView prefill = way.prefill();
        return new Explanation.Candidate(
                way.decode().address(),
                Optional.ofNullable(prefill).map(NodeView::address),
                ways.cachedTokens(way.decode()),
                prefill == null ? 0 : ways.cachedTokens(prefill),
                way.parts(),
                way.itl(),
                way.disturbance(),
                way.score());
    }

    private static long retryMillis(double micros) {
        return Math.clamp(Math.round(micros / 1e3), 100, 30_000);
    }
}

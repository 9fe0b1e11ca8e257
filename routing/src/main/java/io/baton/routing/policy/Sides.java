package io.baton.routing.policy;

import io.baton.routing.ClusterView;
import io.baton.routing.CostParts;
import io.baton.routing.NodeView;
import io.baton.routing.Pool;
import io.baton.routing.PrefillCandidate;
import io.baton.routing.RequestShape;
import io.baton.routing.RouteDecision;
import io.baton.routing.RouteReason;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What the policies share: the usable nodes, the least loaded decode node, and a route through a chosen prefill node.
 */
final class Sides {

    private static final CostParts UNKNOWN = new CostParts(0, 0, 0, 0, 0, 0);

    private Sides() {}

    /** @param pick chooses among the usable prefill nodes, of which there is at least one */
    static RouteDecision route(
            RequestShape shape, ClusterView view, long nowMillis, Function<List<NodeView>, NodeView> pick) {
        Optional<Pool> pool = view.pool(shape.pool());
        if (pool.isEmpty()) {
            return new RouteDecision.Refusal(RouteDecision.Cause.NO_POOL, "no node of pool " + shape.pool(), 0);
        }
        List<NodeView> decode = usable(pool.get().decode(), shape, nowMillis);
        List<NodeView> prefill = usable(pool.get().prefill(), shape, nowMillis);
        if (decode.isEmpty() || prefill.isEmpty()) {
            return new RouteDecision.Refusal(
                    decode.isEmpty() ? RouteDecision.Cause.NO_DECODE_NODE : RouteDecision.Cause.NO_PREFILL_NODE,
                    "found %d usable decode and %d usable prefill nodes".formatted(decode.size(), prefill.size()),
                    0);
        }
        NodeView least = decode.stream()
                .min(Comparator.comparingInt(
                        node -> node.load().runningSequences() + node.load().waitingSequences()))
                .orElseThrow();
        PrefillCandidate chosen = new PrefillCandidate(pick.apply(prefill).address(), 0, 0);
        return new RouteDecision.Route(least.address(), 0, true, List.of(chosen), RouteReason.REQUESTED, UNKNOWN, 0);
    }

    private static List<NodeView> usable(List<NodeView> nodes, RequestShape shape, long nowMillis) {
        return nodes.stream()
                .filter(node -> node.takesWork(nowMillis) && !shape.excluded().contains(node.address()))
                .toList();
    }
}

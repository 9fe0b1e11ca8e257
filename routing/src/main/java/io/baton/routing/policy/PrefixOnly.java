package io.baton.routing.policy;

import io.baton.routing.ClusterView;
import io.baton.routing.NodeView;
import io.baton.routing.RequestShape;
import io.baton.routing.RouteDecision;
import io.baton.routing.RoutePolicy;
import java.time.InstantSource;
import java.util.List;

/**
 * The prefill node with the longest cached prefix; the first of equals. Collapses onto one node when prompts share a
 * head.
 */
public final class PrefixOnly implements RoutePolicy {

    @Override
    public RouteDecision choose(RequestShape shape, ClusterView view, InstantSource now) {
        return Sides.route(shape, view, now.millis(), nodes -> longestPrefix(nodes, shape, view));
    }

    private static NodeView longestPrefix(List<NodeView> nodes, RequestShape shape, ClusterView view) {
        int[] cached = view.cachedBlocks(nodes, shape.prefix());
        int best = 0;
        for (int i = 1; i < cached.length; i++) {
            best = cached[i] > cached[best] ? i : best;
        }
        return nodes.get(best);
    }
}

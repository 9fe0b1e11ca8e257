package io.baton.routing.policy;

import io.baton.routing.ClusterView;
import io.baton.routing.RequestShape;
import io.baton.routing.RouteDecision;
import io.baton.routing.RoutePolicy;
import java.time.InstantSource;
import java.util.Comparator;

/** The prefill node with the fewest queued tokens; caches are ignored. */
public final class LoadOnly implements RoutePolicy {

    @Override
    public RouteDecision choose(RequestShape shape, ClusterView view, InstantSource now) {
        return Sides.route(
                shape,
                view,
                now.millis(),
                nodes -> nodes.stream()
                        .min(Comparator.comparingLong(node -> node.load().queuedPrefillTokens()))
                        .orElseThrow());
    }
}

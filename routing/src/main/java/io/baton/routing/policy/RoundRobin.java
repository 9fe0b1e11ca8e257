package io.baton.routing.policy;

import io.baton.routing.ClusterView;
import io.baton.routing.RequestShape;
import io.baton.routing.RouteDecision;
import io.baton.routing.RoutePolicy;
import java.time.InstantSource;

/** Prefill nodes in turn. */
public final class RoundRobin implements RoutePolicy {

    private int turn;

    @Override
    public RouteDecision choose(RequestShape shape, ClusterView view, InstantSource now) {
        return Sides.route(shape, view, now.millis(), nodes -> nodes.get(Math.floorMod(turn++, nodes.size())));
    }
}

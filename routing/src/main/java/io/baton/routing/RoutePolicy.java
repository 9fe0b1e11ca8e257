package io.baton.routing;

import java.time.InstantSource;

/** Chooses a request's way. {@link Router} is the one to use; the others are there to be compared with it. */
public interface RoutePolicy {

    RouteDecision choose(RequestShape shape, ClusterView view, InstantSource now);
}

package io.baton.routing;

/** Why prefill goes where it goes. */
public enum RouteReason {
    /** Remote prefill is estimated to be better. */
    COST_REMOTE,
    /** Local prefill is estimated to be better. */
    COST_LOCAL,
    /** The request asked for it. */
    REQUESTED,
    /** The whole usable prefix is cached on the decode node. */
    CACHED,
    /** No prefill node can be used. */
    NO_PREFILL_NODE,
    /** What is left of the deadline is needed for local prefill. */
    DEADLINE_RESERVE
}

package io.baton.routing;

import java.util.List;

/** What a router says: a way, or why there is none. */
public sealed interface RouteDecision {

    /**
     * A way to go.
     *
     * @param decodeNode address of the decode node
     * @param decodeCachedTokens prompt tokens it is believed to have cached
     * @param remote whether prefill is meant to happen on the first of the prefill nodes
     * @param prefillNodes best first; with local prefill they are what the decode node may still choose
     * @param reason why prefill goes where it goes
     * @param costs of the chosen way
     * @param itlMicros estimated time between tokens
     */
    record Route(
            String decodeNode,
            int decodeCachedTokens,
            boolean remote,
            List<PrefillCandidate> prefillNodes,
            RouteReason reason,
            CostParts costs,
            double itlMicros)
            implements RouteDecision {

        public Route {
            prefillNodes = List.copyOf(prefillNodes);
        }
    }

    /**
     * No way.
     *
     * @param detail what was found and what to do, for people
     * @param retryAfterMillis when trying again may help; 0 when waiting alone does not
     */
    record Refusal(Cause cause, String detail, long retryAfterMillis) implements RouteDecision {}

    /** Why there is no way. */
    enum Cause {
        /** No node with this model and fingerprint is known. */
        NO_POOL,
        /** The pool's decode nodes are all silent, draining or excluded. */
        NO_DECODE_NODE,
        /** Remote prefill is a must and no prefill node can be used. */
        NO_PREFILL_NODE,
        /** No decode node's pool could ever hold the sequence. */
        NEVER_FITS,
        /** Nobody would be in time. */
        DEADLINE,
        /** Every decode node has as many requests waiting as it may. */
        OVERLOADED
    }
}

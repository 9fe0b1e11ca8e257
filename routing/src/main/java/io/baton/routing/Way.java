package io.baton.routing;

import org.jspecify.annotations.Nullable;

/**
 * A way a request could go.
 *
 * @param prefill absent for local prefill
 * @param itl estimated time between tokens, in microseconds
 * @param disturbance weighed cost to the sequences that run on the decode node, in microseconds
 * @param score what ways are compared by, in microseconds; least wins
 */
record Way(NodeView decode, @Nullable NodeView prefill, CostParts parts, double itl, double disturbance, double score) {

    /** The node that prefills. */
    NodeView prefills() {
        return prefill == null ? decode : prefill;
    }
}

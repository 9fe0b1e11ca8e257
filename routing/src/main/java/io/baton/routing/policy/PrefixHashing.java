package io.baton.routing.policy;

import io.baton.routing.ClusterView;
import io.baton.routing.NodeView;
import io.baton.routing.RequestShape;
import io.baton.routing.RouteDecision;
import io.baton.routing.RoutePolicy;
import java.time.InstantSource;
import java.util.Comparator;

/**
 * The prefill node that a rendezvous hash of the prompt's first blocks points to (Thaler and Ravishankar 1998), so that
 * equal heads meet without any knowledge of caches, and a node that leaves moves only its own prompts.
 */
public final class PrefixHashing implements RoutePolicy {

    private final int blocks;

    /** @param blocks how much of the prompt's head decides */
    public PrefixHashing(int blocks) {
        if (blocks < 1) {
            throw new IllegalArgumentException("expected at least 1 block, found " + blocks);
        }
        this.blocks = blocks;
    }

    @Override
    public RouteDecision choose(RequestShape shape, ClusterView view, InstantSource now) {
        // Keys are chained: the last of the first blocks stands for all of them.
        long head = shape.prefix().fingerprint(Math.min(blocks, shape.prefix().count()));
        return Sides.route(
                shape,
                view,
                now.millis(),
                nodes -> nodes.stream()
                        .max(Comparator.comparingLong(node -> weight(head, node)))
                        .orElseThrow());
    }

    private static long weight(long head, NodeView node) {
        long z = head ^ node.instanceId().hashCode() * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}

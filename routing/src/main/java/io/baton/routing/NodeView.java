package io.baton.routing;

import io.baton.kv.SequenceFingerprint;
import java.util.Map;
import java.util.Set;

/**
 * What is known about one node at the time of a {@link ClusterView}. Whether it lives depends on the time of the
 * question: {@link #state}.
 *
 * @param address host:port it is dialled at
 * @param slot its column in the block index
 * @param heardMillis when it was last heard of
 * @param loadMillis when its load was last reported
 * @param connected its event stream is up
 */
public record NodeView(
        String address,
        String instanceId,
        Set<NodeRole> roles,
        PoolId pool,
        SequenceFingerprint fingerprint,
        Map<String, String> labels,
        int blockCapacity,
        boolean draining,
        boolean connected,
        NodeLoad load,
        long heardMillis,
        long loadMillis,
        Liveness liveness,
        int slot) {

    public NodeState state(long nowMillis) {
        NodeState bySilence = liveness.state(nowMillis - heardMillis);
        return bySilence == NodeState.KNOWN && !connected ? NodeState.SUSPECT : bySilence;
    }

    /** Whether it may be given new work. */
    public boolean takesWork(long nowMillis) {
        return !draining && state(nowMillis) == NodeState.KNOWN;
    }

    public boolean is(NodeRole role) {
        return roles.contains(role);
    }
}

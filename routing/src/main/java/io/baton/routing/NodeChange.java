package io.baton.routing;

import io.baton.kv.SequenceFingerprint;
import java.util.Map;
import java.util.Set;

/**
 * What is learnt about a node, named by the address it is dialled at. Changes with an epoch come from the node's own
 * event stream: block changes are numbered consecutively within an epoch, and a new epoch voids what was known.
 */
public sealed interface NodeChange {

    /** host:port the node is dialled at. */
    String node();

    /**
     * First event of every stream.
     *
     * @param sequence of the last block change before this stream
     * @param instanceId identity of the process; one process may be reachable at several addresses
     * @param blockCapacity blocks of its pool; 0 when unknown
     */
    record Hello(
            String node,
            long epoch,
            long sequence,
            String instanceId,
            Set<NodeRole> roles,
            String model,
            SequenceFingerprint fingerprint,
            Map<String, String> labels,
            int blockCapacity,
            boolean draining)
            implements NodeChange {

        public Hello {
            roles = Set.copyOf(roles);
            labels = Map.copyOf(labels);
        }
    }

    /** Part of a snapshot taken at {@code sequence}; what it replaces stays visible until the last part is here. */
    record Snapshot(String node, long epoch, long sequence, BlockKeys blocks, boolean last) implements NodeChange {}

    /** Blocks became visible on the node. */
    record Stored(String node, long epoch, long sequence, BlockKeys blocks) implements NodeChange {}

    /** Blocks were evicted. */
    record Removed(String node, long epoch, long sequence, BlockKeys blocks) implements NodeChange {}

    /** The node lives. */
    record Heartbeat(String node, long epoch, long sequence, boolean draining) implements NodeChange {}

    /** The node's load; comes with any event and carries no number of its own. */
    record Load(String node, NodeLoad load) implements NodeChange {}

    /** The node's event stream ended: no new work until it is heard again. */
    record Lost(String node) implements NodeChange {}

    /** The node is no longer a member. */
    record Left(String node) implements NodeChange {}
}

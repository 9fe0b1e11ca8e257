package io.baton.routing;

import io.baton.kv.SequenceFingerprint;
import java.util.List;

/** The nodes of one pool by role, whatever their state. A node with both roles is in both lists. */
public record Pool(PoolId id, SequenceFingerprint fingerprint, List<NodeView> prefill, List<NodeView> decode) {

    public Pool {
        prefill = List.copyOf(prefill);
        decode = List.copyOf(decode);
    }

    /** How many decode nodes may be given new work. */
    public int decodeNodesTakingWork(long nowMillis) {
        int count = 0;
        for (NodeView node : decode) {
            if (node.takesWork(nowMillis)) {
                count++;
            }
        }
        return count;
    }
}

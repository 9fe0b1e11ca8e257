package io.baton.routing;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The cluster as the index knew it when the view was taken: nodes, pools and loads never change in a view. Cached
 * prefixes are asked of the index itself, so a view costs nothing per cached block; the answer is at least as fresh as
 * the view, and an estimate in any case, because the node itself has the last word. Any thread.
 */
public final class ClusterView {

    public static final ClusterView EMPTY = new ClusterView(List.of(), Map.of(), new BlockIndex(1));

    private final List<NodeView> nodes;
    private final Map<PoolId, Pool> pools;
    private final BlockIndex blocks;
    private final int slotLimit;

    ClusterView(List<NodeView> nodes, Map<PoolId, Pool> pools, BlockIndex blocks) {
        this.nodes = List.copyOf(nodes);
        this.pools = Map.copyOf(pools);
        this.blocks = blocks;
        this.slotLimit = nodes.stream().mapToInt(NodeView::slot).max().orElse(-1) + 1;
    }

    /** Every node that has said hello and is a member, whatever its state. */
    public List<NodeView> nodes() {
        return nodes;
    }

    public Map<PoolId, Pool> pools() {
        return pools;
    }

    public Optional<Pool> pool(PoolId id) {
        return Optional.ofNullable(pools.get(id));
    }

    /** How many blocks of the prefix each node is believed to have cached without a gap from the first one on. */
    public int[] cachedBlocks(List<NodeView> asked, BlockKeys prefix) {
        int[] bySlot = new int[slotLimit()];
        blocks.cachedPrefixes(prefix, PredictedBlocks.NONE, 0, bySlot);
        int[] answer = new int[asked.size()];
        for (int i = 0; i < answer.length; i++) {
            answer[i] = bySlot[asked.get(i).slot()];
        }
        return answer;
    }

    /** As {@link #cachedBlocks} without allocation, predictions counted: the answer of a node is at its slot. */
    void cachedPrefixes(BlockKeys prefix, PredictedBlocks predicted, long nowMillis, int[] bySlot) {
        blocks.cachedPrefixes(prefix, predicted, nowMillis, bySlot);
    }

    /** Slots of this view's nodes are below this. */
    int slotLimit() {
        return slotLimit;
    }
}

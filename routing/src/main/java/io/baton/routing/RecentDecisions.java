package io.baton.routing;

import java.util.Arrays;
import java.util.List;

/**
 * The router's own decisions that the nodes' reports do not show yet, as sums per node. A ring: when it is full the
 * oldest is forgotten. Confined to its router.
 */
final class RecentDecisions {

    private final long ttlMillis;
    private final long settleMillis;
    private final long[] madeMillis;
    private final int[] prefillSlot;
    private final int[] decodeSlot;
    private final int[] tokens;
    private final int[] blocks;
    private long oldest; // numbers of decisions; index is number modulo length
    private long next;

    private long[] reportedMillis = new long[0]; // per slot, Long.MAX_VALUE for nodes not asked about
    private long[] tokensOf = new long[0];
    private int[] sequencesOf = new int[0];
    private int[] blocksOf = new int[0];

    RecentDecisions(int capacity, long ttlMillis, long settleMillis) {
        this.ttlMillis = ttlMillis;
        this.settleMillis = settleMillis;
        madeMillis = new long[capacity];
        prefillSlot = new int[capacity];
        decodeSlot = new int[capacity];
        tokens = new int[capacity];
        blocks = new int[capacity];
    }

    /**
     * @param prefillSlot of the node that prefills, which may be the decode node
     * @param tokens it will compute
     * @param blocks the decode node will pin
     */
    void add(long nowMillis, int prefillSlot, int decodeSlot, int tokens, int blocks) {
        int at = (int) (next % madeMillis.length);
        if (next - oldest == madeMillis.length) {
            oldest++;
        }
        next++;
        madeMillis[at] = nowMillis;
        this.prefillSlot[at] = prefillSlot;
        this.decodeSlot[at] = decodeSlot;
        this.tokens[at] = tokens;
        this.blocks[at] = blocks;
    }

    /** Sums up what the pool's nodes have not reported yet; {@link #of} answers until the next call. */
    void sumUp(List<NodeView> prefill, List<NodeView> decode, int slotLimit, long nowMillis) {
        while (oldest < next && madeMillis[(int) (oldest % madeMillis.length)] + ttlMillis <= nowMillis) {
            oldest++;
        }
        if (tokensOf.length < slotLimit) {
            reportedMillis = new long[slotLimit];
            tokensOf = new long[slotLimit];
            sequencesOf = new int[slotLimit];
            blocksOf = new int[slotLimit];
        }
        Arrays.fill(reportedMillis, Long.MAX_VALUE);
        Arrays.fill(tokensOf, 0);
        Arrays.fill(sequencesOf, 0);
        Arrays.fill(blocksOf, 0);
        reported(prefill);
        reported(decode);
        for (long number = oldest; number < next; number++) {
            int at = (int) (number % madeMillis.length);
            if (unseen(prefillSlot[at], madeMillis[at])) {
                tokensOf[prefillSlot[at]] += tokens[at];
            }
            if (unseen(decodeSlot[at], madeMillis[at])) {
                sequencesOf[decodeSlot[at]]++;
                blocksOf[decodeSlot[at]] += blocks[at];
            }
        }
    }

    private void reported(List<NodeView> nodes) {
        for (int i = 0; i < nodes.size(); i++) {
            reportedMillis[nodes.get(i).slot()] = nodes.get(i).loadMillis();
        }
    }

    private boolean unseen(int slot, long made) {
        return slot < reportedMillis.length
                && reportedMillis[slot] != Long.MAX_VALUE
                && reportedMillis[slot] < made + settleMillis;
    }

    Pending of(NodeView node) {
        int slot = node.slot();
        return tokensOf[slot] == 0 && sequencesOf[slot] == 0 && blocksOf[slot] == 0
                ? Pending.NONE
                : new Pending(tokensOf[slot], sequencesOf[slot], blocksOf[slot]);
    }
}

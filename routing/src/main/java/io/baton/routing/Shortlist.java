package io.baton.routing;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The few cheapest nodes of one side, cheapest first; reused from choice to choice. */
final class Shortlist {

    private final @Nullable NodeView[] nodes;
    private final double[] costs;
    private int size;

    Shortlist(int capacity) {
        nodes = new @Nullable NodeView[capacity];
        costs = new double[capacity];
    }

    void clear() {
        Arrays.fill(nodes, null);
        size = 0;
    }

    void offer(NodeView node, double cost) {
        if (size == nodes.length && cost >= costs[size - 1]) {
            return;
        }
        int at = size < nodes.length ? size++ : size - 1;
        for (; at > 0 && costs[at - 1] > cost; at--) {
            nodes[at] = nodes[at - 1];
            costs[at] = costs[at - 1];
        }
        nodes[at] = node;
        costs[at] = cost;
    }

    int size() {
        return size;
    }

    NodeView node(int rank) {
        NodeView node = nodes[rank];
        if (node == null) {
            throw new IndexOutOfBoundsException("rank " + rank + " of " + size);
        }
        return node;
    }

    double cost(int rank) {
        return costs[rank];
    }
}

package io.baton.kv;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The visible blocks: a tree by chained hash, and the order in which its idle nodes (held by nobody) are evicted.
 * Confined to the scheduler thread.
 *
 * <p>Whoever holds a node holds its ancestors and lets go of them after it. Hence every descendant of an idle node is
 * idle and stands before it in the eviction order: the oldest idle node is always a leaf, and evicting from that end
 * never cuts a branch. So all idle nodes are evictable, and LRU is a plain linked list.
 */
final class PrefixIndex {

    /** One visible block. */
    static final class Node {
        final BlockKey key;
        final @Nullable Node parent;
        int block;
        int children;
        boolean idle;
        private @Nullable Node older;
        private @Nullable Node newer;

        private Node(BlockKey key, @Nullable Node parent, int block) {
            this.key = key;
            this.parent = parent;
            this.block = block;
        }

        @Nullable
        Node newer() {
            return newer;
        }
    }

    private final Map<BlockKey, Node> nodes = new LinkedHashMap<>(); // a parent is inserted before its children
    private final @Nullable Node[] byBlock;
    private @Nullable Node oldest;
    private @Nullable Node newest;
    private int idleCount;

    PrefixIndex(int blocks) {
        byBlock = new @Nullable Node[blocks];
    }

    @Nullable
    Node find(BlockKey key) {
        return nodes.get(key);
    }

    @Nullable
    Node atBlock(int block) {
        return byBlock[block];
    }

    /** Every visible block, parents before their children. */
    List<BlockKey> keys() {
        return List.copyOf(nodes.keySet());
    }

    Collection<Node> nodes() {
        return Collections.unmodifiableCollection(nodes.values());
    }

    int idleCount() {
        return idleCount;
    }

    @Nullable
    Node oldestIdle() {
        return oldest;
    }

    /** Adds a held node. */
    Node insert(BlockKey key, @Nullable Node parent, int block) {
        Node node = new Node(key, parent, block);
        nodes.put(key, node);
        byBlock[block] = node;
        if (parent != null) {
            parent.children++;
        }
        return node;
    }

    /** The node lost its last holder: it may be evicted after all that are idle now. */
    void becomeIdle(Node node) {
        node.idle = true;
        node.older = newest;
        if (newest == null) {
            oldest = node;
        } else {
            newest.newer = node;
        }
        newest = node;
        idleCount++;
    }

    /** The node has a holder again. */
    void becomeHeld(Node node) {
        if (node.older == null) {
            oldest = node.newer;
        } else {
            node.older.newer = node.newer;
        }
        if (node.newer == null) {
            newest = node.older;
        } else {
            node.newer.older = node.older;
        }
        node.older = null;
        node.newer = null;
        node.idle = false;
        idleCount--;
    }

    /** Removes the least recently held idle node, a leaf. */
    Node evictOldest() {
        Node node = oldest;
        if (node == null) {
            throw new IllegalStateException("no idle block to evict; the ledger promised one");
        }
        becomeHeld(node);
        nodes.remove(node.key);
        byBlock[node.block] = null;
        if (node.parent != null) {
            node.parent.children--;
        }
        return node;
    }

    /** The node's content is now in {@code block}. */
    void rebind(Node node, int block) {
        byBlock[node.block] = null;
        node.block = block;
        byBlock[block] = node;
    }
}

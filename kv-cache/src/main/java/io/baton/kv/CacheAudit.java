package io.baton.kv;

import java.util.BitSet;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.Map;

/** Counts a cache's blocks from its leases and tree, trusting no running total. */
final class CacheAudit {

    private final BlockPool pool;
    private final PrefixIndex index;
    private final Collection<BlockLease> leases;
    private final int committed;

    CacheAudit(BlockPool pool, PrefixIndex index, Collection<BlockLease> leases, int committed) {
        this.pool = pool;
        this.index = index;
        this.leases = leases;
        this.committed = committed;
    }

    void run() {
        checkHolders();
        checkTree();
        checkEvictionOrder();
        checkConservation();
    }

    private void checkHolders() {
        int[] expected = new int[pool.capacity()];
        for (BlockLease lease : leases) {
            for (int i = 0; i < lease.blocks(); i++) {
                expected[lease.block(i)]++;
                if (lease.pinnedBeside(i) >= 0) {
                    expected[lease.pinnedBeside(i)]++;
                }
            }
            for (int i = 0; i < lease.visibleBlocks(); i++) {
                PrefixIndex.Node node = lease.visible().get(i);
                require(index.find(node.key) == node, "%s relies on %s, which is not visible", lease, node.key);
                require(
                        i == 0 ? node.parent == null : node.parent == lease.visible().get(i - 1),
                        "block %s of %s has another parent in the tree",
                        i,
                        lease);
            }
        }
        for (int block = 0; block < expected.length; block++) {
            require(
                    pool.holders(block) == expected[block],
                    "block %s counts %s holders, but the leases %s hold it %s times",
                    block,
                    pool.holders(block),
                    leases,
                    expected[block]);
        }
    }

    private void checkTree() {
        Map<PrefixIndex.Node, Integer> children = new IdentityHashMap<>();
        for (PrefixIndex.Node node : index.nodes()) {
            require(index.atBlock(node.block) == node, "block %s is not that of %s", node.block, node.key);
            require(
                    node.idle == (pool.holders(node.block) == 0),
                    "%s is %s with %s holders",
                    node.key,
                    node.idle ? "idle" : "held",
                    pool.holders(node.block));
            if (node.parent != null) {
                require(index.find(node.parent.key) == node.parent, "the parent of %s is not visible", node.key);
                require(node.idle || !node.parent.idle, "%s is held, but its parent is idle", node.key);
                children.merge(node.parent, 1, Integer::sum);
            }
        }
        for (PrefixIndex.Node node : index.nodes()) {
            int found = children.getOrDefault(node, 0);
            require(node.children == found, "%s counts %s children, found %s", node.key, node.children, found);
        }
    }

    private void checkEvictionOrder() {
        Map<PrefixIndex.Node, Integer> evictedChildren = new IdentityHashMap<>();
        for (PrefixIndex.Node node = index.oldestIdle(); node != null; node = node.newer()) {
            require(node.idle, "%s is to be evicted, but held", node.key);
            require(
                    evictedChildren.getOrDefault(node, 0) == node.children,
                    "%s would be evicted before its %s children",
                    node.key,
                    node.children);
            if (node.parent != null) {
                evictedChildren.merge(node.parent, 1, Integer::sum);
            }
        }
    }

    private void checkConservation() {
        BitSet free = pool.freeIds();
        int cached = 0;
        int inUse = 0;
        for (int block = 0; block < pool.capacity(); block++) {
            boolean held = pool.holders(block) > 0;
            boolean visible = index.atBlock(block) != null;
            require(!free.get(block) || !held && !visible, "block %s is free, and held or visible", block);
            require(free.get(block) || held || visible, "block %s is lost: not free, held or visible", block);
            inUse += held ? 1 : 0;
            cached += visible && !held ? 1 : 0;
        }
        require(
                free.cardinality() + cached + inUse == pool.capacity(),
                "free %s + cached %s + in use %s is not the capacity %s",
                free.cardinality(),
                cached,
                inUse,
                pool.capacity());
        require(cached == index.idleCount(), "%s blocks are cached, %s counted", cached, index.idleCount());
        int promised = leases.stream().mapToInt(BlockLease::committedBlocks).sum();
        require(promised == committed, "the leases were promised %s blocks, the ledger says %s", promised, committed);
        require(
                committed <= free.cardinality() + cached,
                "%s blocks are promised, but only %s are free and %s evictable",
                committed,
                free.cardinality(),
                cached);
    }

    private static void require(boolean holds, String message, Object... found) {
        if (!holds) {
            throw new IllegalStateException(message.formatted(found));
        }
    }
}

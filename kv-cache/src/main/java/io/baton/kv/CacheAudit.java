package io.baton.kv;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.stream.Collectors;

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
                require(index.find(node.key) == node, lease, " relies on ", node.key, ", which is not visible");
                require(
                        i == 0
                                ? node.parent == null
                                : node.parent == lease.visible().get(i - 1),
                        "block ",
                        i,
                        " of ",
                        lease,
                        " has another parent in the tree");
            }
        }
        for (int block = 0; block < expected.length; block++) {
            require(
                    pool.holders(block) == expected[block],
                    "block ",
                    block,
                    " counts ",
                    pool.holders(block),
                    " holders, but the leases ",
                    leases,
                    " hold it ",
                    expected[block],
                    " times");
        }
    }

    private void checkTree() {
        IdentityHashMap<PrefixIndex.Node, Integer> children = new IdentityHashMap<>();
        for (PrefixIndex.Node node : index.nodes()) {
            require(index.atBlock(node.block) == node, "block ", node.block, " is not that of ", node.key);
            require(
                    node.idle == (pool.holders(node.block) == 0),
                    node.key,
                    " is ",
                    node.idle ? "idle" : "held",
                    " with ",
                    pool.holders(node.block),
                    " holders");
            if (node.parent != null) {
                require(index.find(node.parent.key) == node.parent, "the parent of ", node.key, " is not visible");
                require(node.idle || !node.parent.idle, node.key, " is held, but its parent is idle");
                children.merge(node.parent, 1, Integer::sum);
            }
        }
        for (PrefixIndex.Node node : index.nodes()) {
            int found = children.getOrDefault(node, 0);
            require(node.children == found, node.key, " counts ", node.children, " children, found ", found);
        }
    }

    private void checkEvictionOrder() {
        IdentityHashMap<PrefixIndex.Node, Integer> evictedChildren = new IdentityHashMap<>();
        for (PrefixIndex.Node node = index.oldestIdle(); node != null; node = node.newer()) {
            require(node.idle, node.key, " is to be evicted, but held");
            require(
                    evictedChildren.getOrDefault(node, 0) == node.children,
                    node.key,
                    " would be evicted before its ",
                    node.children,
                    " children");
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
            require(!free.get(block) || !(held || visible), "block ", block, " is free, and held or visible");
            require(free.get(block) || held || visible, "block ", block, " is lost: not free, held or visible");
            inUse += held ? 1 : 0;
            cached += visible && !held ? 1 : 0;
        }
        require(
                free.cardinality() + cached + inUse == pool.capacity(),
                "free ",
                free.cardinality(),
                " + cached ",
                cached,
                " + in use ",
                inUse,
                " is not the capacity ",
                pool.capacity());
        require(cached == index.idleCount(), cached, " blocks are cached, ", index.idleCount(), " counted");
        int promised = leases.stream().mapToInt(BlockLease::committedBlocks).sum();
        require(promised == committed, "the leases were promised ", promised, " blocks, the ledger says ", committed);
        require(
                committed <= free.cardinality() + cached,
                committed,
                " blocks are promised, but only ",
                free.cardinality(),
                " are free and ",
                cached,
                " evictable");
    }

    private static void require(boolean holds, Object... otherwise) {
        if (!holds) {
            String found = Arrays.stream(otherwise).map(String::valueOf).collect(Collectors.joining());
            throw new IllegalStateException(found);
        }
    }
}

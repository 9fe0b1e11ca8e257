package io.baton.kv;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who holds which KV block of a node, and which prefixes are cached. Deals in ids, never in bytes. Confined to the
 * scheduler thread.
 *
 * <p>Admission is by a ledger: {@link #tryAdmit} <em>commits</em> capacity for a whole sequence, and its lease takes
 * physical blocks later, as it grows, without ever failing. The ledger's invariant is {@code committed <= free +
 * cached}: every promised block is free, or cached and held by nobody, hence evictable. Each operation keeps it:
 *
 * <ul>
 *   <li>admitting holds the matched prefix, so its idle blocks stop being evictable and are subtracted first;
 *   <li>taking a block uses up one promise and one free or evicted block; reusing one, a promise and at most one idle
 *       block;
 *   <li>publishing a block whose hash is cached already never makes an idle block held without freeing another one, see
 *       {@link BlockLease#publish};
 *   <li>closing a lease only gives back.
 * </ul>
 */
public final class KvCache {

    private final BlockPool pool;
    private final PrefixIndex index;
    private final int blockTokens;
    private final CacheEvents events;
    private final Set<BlockLease> leases = new LinkedHashSet<>();
    private int committed;

    private KvCache(int blocks, int blockTokens, CacheEvents events) {
        if (blockTokens < 1) {
            throw new IllegalArgumentException("blockTokens must be at least 1, found " + blockTokens);
        }
        this.pool = new BlockPool(blocks);
        this.index = new PrefixIndex(blocks);
        this.blockTokens = blockTokens;
        this.events = events;
    }

    public static KvCache ofCapacity(int blocks, int blockTokens, CacheEvents events) {
        return new KvCache(blocks, blockTokens, events);
    }

    public int blockTokens() {
        return blockTokens;
    }

    /** Blocks that {@code tokens} positions need. */
    public int blocksFor(int tokens) {
        return Math.ceilDiv(tokens, blockTokens);
    }

    /** How many of the leading {@code hashes} are cached. */
    public int cachedPrefixBlocks(List<BlockHash> hashes) {
        return cachedPrefix(hashes, hashes.size()).size();
    }

    /** Every visible block, parents before their children. */
    public List<BlockKey> cachedKeys() {
        return index.keys();
    }

    /**
     * Holds the cached part of {@code reusable} and commits capacity for the rest of {@code totalBlocks}, all or
     * nothing; empty tells the caller to queue.
     *
     * @param owner names the lease when it leaks
     * @param reusable hashes of the leading blocks that may come from the cache
     */
    public Optional<BlockLease> tryAdmit(String owner, List<BlockHash> reusable, int totalBlocks) {
        return tryAdmit(owner, reusable, totalBlocks, 0);
    }

    /**
     * As {@link #tryAdmit(String, List, int)}; also commits {@code forkBlocks} for {@linkplain BlockLease#fork forks}.
     */
    public Optional<BlockLease> tryAdmit(String owner, List<BlockHash> reusable, int totalBlocks, int forkBlocks) {
        if (totalBlocks < 1 || forkBlocks < 0) {
            throw new IllegalArgumentException(
                    "a lease needs at least 1 block and no negative number for forks, found %d and %d"
                            .formatted(totalBlocks, forkBlocks));
        }
        List<PrefixIndex.Node> cached = cachedPrefix(reusable, totalBlocks);
        int idle = 0;
        for (PrefixIndex.Node node : cached) {
            idle += node.idle ? 1 : 0;
        }
        long promised = (long) committed + totalBlocks - cached.size() + forkBlocks;
        if (promised > pool.freeCount() + index.idleCount() - idle) {
            return Optional.empty();
        }
        cached.forEach(this::hold);
        committed = (int) promised;
        int[] leading = cached.stream().mapToInt(node -> node.block).toArray();
        BlockLease lease = new BlockLease(this, owner, leading, cached, totalBlocks, forkBlocks);
        leases.add(lease);
        return Optional.of(lease);
    }

    public CacheCounts counts() {
        int free = pool.freeCount();
        int cached = index.idleCount();
        return new CacheCounts(pool.capacity(), free, cached, pool.capacity() - free - cached, committed);
    }

    /** Each open lease in words: its owner, the blocks it has and those it may still take. */
    public List<String> holders() {
        return leases.stream().map(BlockLease::toString).toList();
    }

    /** Counts everything anew; throws {@link IllegalStateException} naming what does not fit. */
    public void checkInvariants() {
        new CacheAudit(pool, index, leases, committed).run();
    }

    private List<PrefixIndex.Node> cachedPrefix(List<BlockHash> hashes, int limit) {
        List<PrefixIndex.Node> path = new ArrayList<>();
        for (int i = 0; i < hashes.size() && i < limit; i++) {
            PrefixIndex.Node node = index.find(hashes.get(i).key());
            if (node == null) {
                break;
            }
            path.add(node);
        }
        return path;
    }

    private void hold(PrefixIndex.Node node) {
        if (node.idle) {
            index.becomeHeld(node);
        }
        pool.hold(node.block);
    }

    // What follows is for BlockLease.

    /** Adds a holder to a block that has one. */
    void hold(int block) {
        pool.hold(block);
    }

    /**
     * Holds a visible block in place of one that was committed: at most one less is evictable, and one less promised.
     */
    PrefixIndex.@Nullable Node tryHold(BlockKey key) {
        PrefixIndex.Node node = index.find(key);
        if (node != null) {
            hold(node);
            committed--;
        }
        return node;
    }

    void drop(int block) {
        if (pool.drop(block)) {
            PrefixIndex.Node node = index.atBlock(block);
            if (node == null) {
                pool.free(block);
            } else {
                index.becomeIdle(node);
            }
        }
    }

    /** Turns commitments into blocks, evicting as needed. */
    void take(int[] into, int from, int to) {
        List<BlockKey> evicted = new ArrayList<>();
        for (int i = from; i < to; i++) {
            if (pool.freeCount() == 0) {
                PrefixIndex.Node node = index.evictOldest();
                pool.free(node.block);
                evicted.add(node.key);
            }
            into[i] = pool.take();
            committed--;
        }
        if (!evicted.isEmpty()) {
            events.removed(List.copyOf(evicted));
        }
    }

    /** See {@link BlockLease#publish}. */
    PrefixIndex.Node publish(BlockKey key, PrefixIndex.@Nullable Node parent, int block) {
        PrefixIndex.Node node = index.find(key);
        if (node == null) {
            node = index.insert(key, parent, block);
            events.stored(List.of(key));
        } else if (node.idle) {
            pool.free(node.block);
            index.becomeHeld(node);
            index.rebind(node, block);
        } else if (node.block != block) {
            pool.hold(node.block);
        }
        return node;
    }

    void opened(BlockLease fork) {
        leases.add(fork);
    }

    void closed(BlockLease lease, int unusedCommitment) {
        committed -= unusedCommitment;
        leases.remove(lease);
    }
}

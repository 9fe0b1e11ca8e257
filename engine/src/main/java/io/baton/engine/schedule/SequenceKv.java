package io.baton.engine.schedule;

import io.baton.kv.BlockChain;
import io.baton.kv.BlockLease;

/**
 * The K and V of one sequence: its blocks, how many leading positions are computed, and the hashes under which whole
 * blocks become visible. Confined to the scheduler thread.
 */
final class SequenceKv implements AutoCloseable {

    private final BlockLease lease;
    private final BlockChain chain;
    private final ModelRunner runner;
    private int computed;

    /** Starts with what the lease found in the cache. */
    SequenceKv(BlockLease lease, BlockChain chain, ModelRunner runner) {
        this.lease = lease;
        this.chain = chain;
        this.runner = runner;
        this.computed = lease.cachedBlocks() * chain.blockTokens();
    }

    /** Leading positions whose K and V are in the pool and final. */
    int computed() {
        return computed;
    }

    int[] table() {
        return lease.table();
    }

    int blocks() {
        return lease.blocks();
    }

    int visibleBlocks() {
        return lease.visibleBlocks();
    }

    /** Goes on behind blocks that others computed since the last chunk, at most the first {@code reusableBlocks}. */
    void reuse(int reusableBlocks) {
        if (lease.reuse(chain.hashes().subList(0, reusableBlocks)) > 0) {
            computed = lease.blocks() * chain.blockTokens();
        }
    }

    /** Has zeroed blocks for {@code positions} positions. */
    void makeRoomFor(int positions) {
        int before = lease.blocks();
        lease.extendTo(Math.ceilDiv(positions, chain.blockTokens()));
        zeroFrom(before);
    }

    /** Clears the blocks from {@code index} on: nothing of an earlier owner or of a broken transfer stays. */
    void zeroFrom(int index) {
        for (int i = index; i < lease.blocks(); i++) {
            runner.zero(lease.block(i));
        }
    }

    /** {@code positions} leading positions are computed now; blocks that are whole become visible. */
    void advanceTo(int positions) {
        computed = positions;
        for (int i = lease.visibleBlocks(); i < positions / chain.blockTokens(); i++) {
            lease.publish(i, chain.hashes().get(i));
        }
    }

    /** The sequence goes on with this token, not computed yet. */
    void append(int token) {
        chain.append(token);
    }

    /** A sequence that goes on differently from here: shares whole blocks, and has a copy of the partial one. */
    SequenceKv fork(String owner, int totalBlocks) {
        int whole = computed / chain.blockTokens();
        SequenceKv fork = new SequenceKv(lease.fork(owner, whole, totalBlocks), new BlockChain(chain), runner);
        if (computed % chain.blockTokens() != 0) {
            fork.lease.extendTo(whole + 1);
            runner.copy(lease.block(whole), fork.lease.block(whole));
        }
        fork.computed = computed;
        return fork;
    }

    @Override
    public void close() {
        lease.close();
    }
}

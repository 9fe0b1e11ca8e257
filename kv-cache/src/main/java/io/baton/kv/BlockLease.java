package io.baton.kv;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One sequence's blocks: its block table, and the promise of those it has not taken yet. Confined to the scheduler
 * thread; {@link #table()} may be read by others up to an index they were told about.
 *
 * <p>A block id never changes once it is in the table, so a reader on another thread needs no lock.
 */
public final class BlockLease implements AutoCloseable {

    private final KvCache cache;
    private final String owner;
    private final int cachedBlocks;
    private final int totalBlocks;
    private final int[] table;
    private final List<PrefixIndex.Node> visible; // held; visible.get(i) has the content of table[i]
    private int blocks;
    private int forkBlocks;
    private boolean closed;

    /** Takes over one hold on each of {@code leading}, and on each visible node whose block is not the leading one. */
    BlockLease(
            KvCache cache,
            String owner,
            int[] leading,
            List<PrefixIndex.Node> visible,
            int totalBlocks,
            int forkBlocks) {
        this.cache = cache;
        this.owner = owner;
        this.cachedBlocks = leading.length;
        this.totalBlocks = totalBlocks;
        this.forkBlocks = forkBlocks;
        this.visible = new ArrayList<>(visible);
        this.table = Arrays.copyOf(leading, totalBlocks);
        Arrays.fill(table, leading.length, totalBlocks, -1);
        this.blocks = leading.length;
    }

    /** Names the lease when it leaks. */
    public String owner() {
        return owner;
    }

    /** Leading blocks that came from the cache (or, in a fork, from the forked lease). */
    public int cachedBlocks() {
        return cachedBlocks;
    }

    /** Blocks in the table now. */
    public int blocks() {
        return blocks;
    }

    /** Blocks the table may grow to. */
    public int totalBlocks() {
        return totalBlocks;
    }

    /** Leading blocks that are visible in the prefix index. */
    public int visibleBlocks() {
        return visible.size();
    }

    /** The id of block {@code index} of the sequence. */
    public int block(int index) {
        if (index >= blocks) {
            throw new IndexOutOfBoundsException("block %d of %s, which has %d".formatted(index, this, blocks));
        }
        return table[index];
    }

    /** The block table itself, {@link #totalBlocks()} long; -1 from {@link #blocks()} on. Not to be written. */
    public int[] table() {
        return table;
    }

    /**
     * Grows the table to {@code count} blocks, evicting idle cached blocks as needed; cannot fail within the
     * commitment.
     */
    public void extendTo(int count) {
        requireOpen();
        if (count > totalBlocks) {
            throw new IllegalArgumentException(
                    "%s was admitted for %d blocks, asked for %d".formatted(owner, totalBlocks, count));
        }
        if (count > blocks) {
            cache.take(table, blocks, count);
            blocks = count;
        }
    }

    /**
     * Takes the blocks that come next from the cache instead, as far as {@code reusable} goes and they are visible by
     * now: another sequence may have computed them since this one was admitted. Only while every block in the table is
     * visible.
     *
     * @param reusable hashes of the leading blocks
     * @return how many blocks were added to the table
     */
    public int reuse(List<BlockHash> reusable) {
        requireOpen();
        int before = blocks;
        while (blocks == visible.size() && blocks < Math.min(reusable.size(), totalBlocks)) {
            PrefixIndex.Node node = cache.tryHold(reusable.get(blocks).key());
            if (node == null) {
                break;
            }
            table[blocks++] = node.block;
            visible.add(node);
        }
        return blocks - before;
    }

    /**
     * Makes whole block {@code index} visible under {@code hash}; the blocks before it must be visible. Again is a
     * no-op.
     *
     * <p>When that hash is visible already (another sequence computed the same block meanwhile), this lease keeps its
     * own copy in its table and the two are reconciled so that neither a table nor the ledger's balance changes: if
     * nobody holds the visible block, it is freed and this copy takes its place; if somebody does, this lease holds
     * that block too, and its own copy stays private and ends with the lease.
     */
    public void publish(int index, BlockHash hash) {
        requireOpen();
        if (index < visible.size()) {
            if (!visible.get(index).key.equals(hash.key())) {
                throw new IllegalStateException("block %d of %s is visible as %s, published as %s"
                        .formatted(index, owner, visible.get(index).key, hash.key()));
            }
            return;
        }
        if (index > visible.size()) {
            throw new IllegalStateException("block %d of %s is published before its parent; %d are visible"
                    .formatted(index, owner, visible.size()));
        }
        visible.add(cache.publish(hash.key(), index == 0 ? null : visible.getLast(), block(index)));
    }

    /**
     * A second lease that shares this one's first {@code sharedBlocks} blocks and may grow to {@code totalBlocks}. The
     * capacity for the rest comes out of what was committed for forks at admission, so it cannot fail within that. A
     * partial block must not be shared: the caller copies its content into the fork's first block of its own.
     */
    public BlockLease fork(String forkOwner, int sharedBlocks, int totalBlocks) {
        requireOpen();
        int own = totalBlocks - sharedBlocks;
        if (sharedBlocks > blocks || own < 0 || own > forkBlocks) {
            throw new IllegalArgumentException("%s has %d blocks and %d committed for forks; asked to share %d of %d"
                    .formatted(owner, blocks, forkBlocks, sharedBlocks, totalBlocks));
        }
        for (int i = 0; i < sharedBlocks; i++) {
            cache.hold(table[i]);
            int pinned = pinnedBeside(i);
            if (pinned >= 0) {
                cache.hold(pinned);
            }
        }
        BlockLease fork = new BlockLease(
                cache,
                forkOwner,
                Arrays.copyOf(table, sharedBlocks),
                visible.subList(0, Math.min(sharedBlocks, visible.size())),
                totalBlocks,
                0);
        forkBlocks -= own;
        cache.opened(fork);
        return fork;
    }

    /** Gives everything back, deepest block first: what is visible stays cached, the rest is free. Idempotent. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (int i = blocks - 1; i >= 0; i--) {
            int pinned = pinnedBeside(i);
            cache.drop(table[i]);
            if (pinned >= 0) {
                cache.drop(pinned);
            }
        }
        cache.closed(this, committedBlocks());
    }

    /** Blocks promised and not taken, those for forks included. */
    public int committedBlocks() {
        return totalBlocks - blocks + forkBlocks;
    }

    /**
     * The visible block with the content of this lease's private copy at {@code index}, which it holds too; -1 for
     * none.
     */
    int pinnedBeside(int index) {
        PrefixIndex.@Nullable Node node = index < visible.size() ? visible.get(index) : null;
        return node == null || node.block == table[index] ? -1 : node.block;
    }

    List<PrefixIndex.Node> visible() {
        return visible;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(this + " is closed");
        }
    }

    @Override
    public String toString() {
        return "%s (%d blocks, %d committed)".formatted(owner, blocks, committedBlocks());
    }
}

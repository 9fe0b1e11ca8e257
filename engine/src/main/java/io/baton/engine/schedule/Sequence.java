package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.kv.BlockChain;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** A prompt on its way to being computed. Fields belong to the scheduler thread. */
abstract sealed class Sequence permits Generation, Prefill {

    /** Higher priority first, then first come, first served. */
    static final Comparator<Sequence> ORDER =
            Comparator.comparingInt((Sequence s) -> s.priority).reversed().thenComparingLong(s -> s.arrival);

    final String owner;
    final int priority;
    final int[] tokens; // prompt, then output emitted before
    final BlockChain chain;
    final int neededBlocks;
    final long submittedNanos;
    long arrival;
    boolean started; // its first chunk was computed, or is being
    long firstChunkNanos;
    long lookupNanos; // what its admission took, once it had its turn
    boolean ended;

    @Nullable
    SequenceKv kv; // from admission on

    Sequence(String owner, int priority, int[] tokens, BlockChain chain, int neededBlocks, long submittedNanos) {
        this.owner = owner;
        this.priority = priority;
        this.tokens = tokens;
        this.chain = chain;
        this.neededBlocks = neededBlocks;
        this.submittedNanos = submittedNanos;
    }

    /** Blocks that may come from the cache: the last token is always computed. */
    final int reusableBlocks() {
        return BlockChain.reusableBlocks(tokens.length, chain.blockTokens());
    }

    /** Its blocks; only once admitted. */
    final SequenceKv kv() {
        SequenceKv admitted = kv;
        if (admitted == null) {
            throw new IllegalStateException(owner + " was not admitted");
        }
        return admitted;
    }

    final int tokensLeft() {
        return tokens.length - kv().computed();
    }

    /** Blocks to commit for its forks. */
    abstract int forkBlocks();

    /** Whether somebody outside may still touch its blocks. */
    abstract boolean blocksLent();

    /** Tells its listener that it ended. */
    abstract void tellFailed(EngineException cause);

    final EngineException notFinite(String where) {
        return new EngineException(
                Kind.INTERNAL,
                "%s has an activation that is not finite, %s; the model overflows in these numerics"
                        .formatted(owner, where));
    }

    @Override
    public final String toString() {
        return owner;
    }
}

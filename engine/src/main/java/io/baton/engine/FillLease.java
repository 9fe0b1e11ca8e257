package io.baton.engine;

/**
 * The right to write a sequence's blocks from outside. The blocks cannot be released or reused while a lease is open,
 * even if the sequence is cancelled: whoever writes closes the lease when no write can follow any more. Any thread;
 * exactly one of {@link #activate} and {@link #close} ends it.
 */
public interface FillLease extends AutoCloseable {

    /**
     * All blocks of prompt and emitted tokens. Blocks before {@link #cachedBlocks()} are shared and must not be
     * written.
     */
    KvUnits units();

    int cachedBlocks();

    /** Blocks {@code [0, wholeBlocks)} are verified in all layers: they become visible in the prefix cache. */
    void verified(int wholeBlocks);

    /**
     * Every unit is written and verified: publishes whole blocks and lets the sequence join the running batch.
     *
     * @param hidden the last token's state after the final norm, {@code [dim]}
     */
    void activate(float[] hidden);

    /** Gives up writing without activating; what was {@link #verified} stays. Idempotent, no-op after activate. */
    @Override
    void close();
}

package io.baton.engine;

/** What happens to a prefill. Called on the scheduler thread, in the order of the methods; must not block or throw. */
public interface PrefillListener {

    /** Still waiting; {@code requestsAhead} of this one. Called when it changes. */
    void queued(int requestsAhead);

    /**
     * Computation starts. The first {@code cachedBlocks} blocks came whole from the prefix cache and may be read at
     * once. Units may be read as they are announced, until {@link PrefillHandle#release()}.
     */
    void started(int cachedBlocks, KvUnits units);

    /**
     * In {@code layer}, K and V of tokens {@code [firstToken, endToken)} are now in the pool and final; with those
     * before them that layer's units up to {@code endToken} may be read. Called while the next layer computes.
     */
    void layerFinished(int layer, int firstToken, int endToken);

    /** Tokens {@code [0, tokensDone)} are done in every layer. */
    void chunkFinished(int tokensDone);

    /** All done. {@code hidden} is the last token's state after the final norm, {@code [dim]}, the caller's to keep. */
    void finished(float[] hidden, PrefillTimes times);

    /** Ended otherwise, after a cancel too; nothing more follows. */
    void failed(EngineException cause);
}

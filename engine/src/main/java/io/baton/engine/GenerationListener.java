package io.baton.engine;

/** What happens to a sequence on a decode node. Called on the scheduler thread; must not block or throw. */
public interface GenerationListener {

    /**
     * Blocks for the whole sequence are committed. The first {@code cachedTokens} of {@code totalTokens} (prompt and
     * emitted) are in the node's own cache. The caller now answers with {@link GenerationHandle#prefillLocally()} or
     * {@link GenerationHandle#takeBlocks()}; nothing runs until it does.
     */
    void admitted(int cachedTokens, int totalTokens);

    /** Local prefill only: tokens {@code [0, tokensDone)} are done. */
    void prefilled(int tokensDone);

    /**
     * The next output token; a stop token is given like any other, and is the last. Returns false to end this answer
     * here (a stop string matched).
     */
    boolean token(GeneratedToken token);

    /** One of several answers ended; {@link #finished} follows the last one. */
    default void choiceFinished(int choice, FinishReason reason) {}

    /** Ended well, for the reason of the answer that ended last; nothing more follows and every block is released. */
    void finished(FinishReason reason, GenerationTimes times);

    /** Ended otherwise, after a cancel too; nothing more follows. */
    void failed(EngineException cause);
}

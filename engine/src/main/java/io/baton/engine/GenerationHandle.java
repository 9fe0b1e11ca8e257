package io.baton.engine;

import java.util.concurrent.CompletableFuture;

/** The caller's hold on a sequence of a decode node. Any thread. */
public interface GenerationHandle {

    /**
     * Prefills what is not cached (or was not verified, see {@link FillLease#verified}) here, in chunks between decode
     * steps. At most once, after {@code admitted} and, if blocks were taken, after that lease was given up.
     */
    void prefillLocally();

    /**
     * Takes the committed blocks so that KV computed elsewhere can be written into them. Completes on the scheduler
     * thread; fails with {@link EngineException} when the sequence has ended.
     */
    CompletableFuture<FillLease> takeBlocks();

    /**
     * Ends the sequence within one step; {@link GenerationListener#failed} follows unless it already ended. Idempotent.
     */
    void cancel(EngineException.Kind kind, String why);

    /** Times so far; complete once the first token was given. */
    GenerationTimes times();
}

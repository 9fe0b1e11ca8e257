package io.baton.engine;

import io.baton.kv.SequenceFingerprint;

/** One node's block pool, prefix cache and scheduler over a model of an {@link EngineHost}. Thread-safe. */
public interface Engine extends AutoCloseable {

    /** What this engine computes; the tokenizer digest is the model file's. */
    SequenceFingerprint fingerprint();

    ModelShape shape();

    EngineOptions options();

    /** Bytes of one (layer, block) unit. */
    long unitBytes();

    /** Queues a prefill; never blocks. Refusals come through {@link PrefillListener#failed}. */
    PrefillHandle prefill(PrefillRequest request, PrefillListener listener);

    /** Queues a sequence for admission; never blocks. Refusals come through {@link GenerationListener#failed}. */
    GenerationHandle generate(GenerationRequest request, GenerationListener listener);

    EngineLoad load();

    /** Adds a listener; it first hears every block that is cached now, as one {@code stored}. */
    void watchCache(CacheListener listener);

    void unwatchCache(CacheListener listener);

    /**
     * Checks every invariant of pool, tables and index on the scheduler thread; throws {@link IllegalStateException}.
     */
    void checkInvariants();

    /** Ends every sequence with UNAVAILABLE, stops the scheduler and frees the pool. */
    @Override
    void close();
}

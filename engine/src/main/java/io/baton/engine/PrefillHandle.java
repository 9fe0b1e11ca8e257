package io.baton.engine;

/** The caller's hold on a prefill. Any thread. */
public interface PrefillHandle {

    /** Stops within one chunk; {@link PrefillListener#failed} follows unless the prefill already ended. Idempotent. */
    void cancel(EngineException.Kind kind, String why);

    /** Drops the hold on the units: none may be read any more. Required exactly once per prefill, however it ended. */
    void release();
}

package io.baton.engine;

/** Told how far loading a model has come. Called by the thread that loads. */
@FunctionalInterface
public interface LoadProgress {

    LoadProgress NONE = (done, total) -> {};

    /** {@code done} of {@code total} bytes of packed weights are ready; the last call has both equal. */
    void packed(long done, long total);
}

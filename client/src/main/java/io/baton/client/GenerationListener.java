package io.baton.client;

/**
 * Hears a generation as it happens, on a gRPC thread, one call at a time. Exactly one of {@link #finished} and
 * {@link #failed} comes last. The next token is asked for when a method returns, so a slow listener slows the stream.
 */
public interface GenerationListener {

    default void started(Started started) {}

    void token(GeneratedToken token);

    void finished(GenerationResult result);

    void failed(BatonException failure);
}

package io.baton.client;

/** What may happen when the chosen prefill node fails. */
public enum Fallback {
    /** The next prefill nodes, then the decode node itself. */
    LOCAL_PREFILL,
    /** The next prefill nodes, then failure. */
    OTHER_PREFILL,
    /** Failure at once. */
    FAIL
}

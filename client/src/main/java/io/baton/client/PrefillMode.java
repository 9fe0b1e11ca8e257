package io.baton.client;

/** Where the prompt is prefilled. */
public enum PrefillMode {
    /** The cluster decides by estimated cost. */
    AUTO,
    /** On the decode node. */
    LOCAL,
    /** On a prefill node. */
    REMOTE
}

package io.baton.routing;

/** Where a request wants its prompt prefilled. */
public enum PrefillPlace {
    /** Where the first token comes earlier. */
    AUTO,
    LOCAL,
    REMOTE
}

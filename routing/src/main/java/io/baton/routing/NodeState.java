package io.baton.routing;

/** How sure it is that a node lives. */
public enum NodeState {
    /** Heard of recently: takes work. */
    KNOWN,
    /** Silent for a while, or its event stream broke: takes no new work, what it has cached is remembered. */
    SUSPECT,
    /** Silent for so long that what was known about it is void. */
    GONE
}

package io.baton.routing;

/** What a node does in the cluster; a node may have several roles. */
public enum NodeRole {
    PREFILL,
    DECODE,
    GATEWAY
}

package io.baton.routing;

/**
 * A prefill node worth trying.
 *
 * @param node its address
 * @param estimatedMicros until the whole prompt's KV is on the decode node
 * @param cachedTokens prompt tokens it is believed to have cached
 */
public record PrefillCandidate(String node, long estimatedMicros, int cachedTokens) {}

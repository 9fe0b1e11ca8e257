package io.baton.client;

import java.util.List;
import java.util.Optional;

/**
 * Which way a request went.
 *
 * @param decodeNode host:port
 * @param prefillNode whose KV was used; empty after local prefill
 * @param reason why prefill ran where it ran, e.g. {@code COST_REMOTE}
 * @param events every fallback on the way
 * @param decodeCachedTokens prompt tokens found in the decode node's own cache
 * @param prefillCachedTokens prompt tokens the prefill node found in its own
 */
public record RouteTaken(
        String decodeNode,
        Optional<String> prefillNode,
        String reason,
        List<Event> events,
        int kvBlocksReceived,
        long kvBytesReceived,
        int decodeCachedTokens,
        int prefillCachedTokens) {

    public RouteTaken {
        events = List.copyOf(events);
    }

    /** One fallback or decision. */
    public record Event(String reason, Optional<String> node, String detail) {}
}

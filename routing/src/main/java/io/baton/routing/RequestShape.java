package io.baton.routing;

import java.util.OptionalLong;
import java.util.Set;

/**
 * All that routing needs to know of a request.
 *
 * @param tokens prompt tokens, and tokens already emitted, whose KV the decode node needs
 * @param maxOutputTokens output tokens still to come at most
 * @param prefix keys of the whole blocks that may be taken from a cache, first block first
 * @param localFallback whether remote prefill may become local when no prefill node can be used
 * @param timeLeftMicros until the request's deadline
 * @param excluded addresses that failed this request
 */
public record RequestShape(
        PoolId pool,
        int tokens,
        int maxOutputTokens,
        BlockKeys prefix,
        PrefillPlace prefill,
        boolean localFallback,
        OptionalLong timeLeftMicros,
        Set<String> excluded) {

    public RequestShape {
        if (tokens < 1) {
            throw new IllegalArgumentException("a request has at least 1 token, found " + tokens);
        }
        if (maxOutputTokens < 0) {
            throw new IllegalArgumentException("maxOutputTokens must be at least 0, found " + maxOutputTokens);
        }
        excluded = Set.copyOf(excluded);
    }

    /** Tokens of the sequence at its longest. */
    public long longest() {
        return (long) tokens + maxOutputTokens;
    }
}

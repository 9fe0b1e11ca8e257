package io.baton.routing;

import java.util.OptionalLong;
import java.util.Set;

/**
 * All that routing needs to know of a request.
 *
 * @param tokens prompt tokens, and tokens already emitted, whose KV the decode node needs
 * @param maxOutputTokens output tokens still to come at most, of each choice
 * @param choices answers to the prompt, which share its whole blocks
 * @param prefix keys of the whole blocks that may be taken from a cache, first block first
 * @param localFallback whether remote prefill may become local when no prefill node can be used
 * @param timeLeftMicros until the request's deadline
 * @param excluded addresses that failed this request
 */
public record RequestShape(
        PoolId pool,
        int tokens,
        int maxOutputTokens,
        int choices,
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
        if (choices < 1) {
            throw new IllegalArgumentException("a request is for at least 1 choice, found " + choices);
        }
        excluded = Set.copyOf(excluded);
    }

    /** For one choice. */
    public RequestShape(
            PoolId pool,
            int tokens,
            int maxOutputTokens,
            BlockKeys prefix,
            PrefillPlace prefill,
            boolean localFallback,
            OptionalLong timeLeftMicros,
            Set<String> excluded) {
        this(pool, tokens, maxOutputTokens, 1, prefix, prefill, localFallback, timeLeftMicros, excluded);
    }

    /** Tokens of a choice at its longest, the prompt's included. */
    public long longest() {
        return (long) tokens + maxOutputTokens;
    }
}

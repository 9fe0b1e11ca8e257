package io.baton.engine;

import java.util.List;
import java.util.OptionalDouble;

/**
 * One output token.
 *
 * @param choice which answer it belongs to
 * @param index position in the output, emitted tokens counted
 * @param logprob natural logarithm under the unmodified logits; present when asked for
 * @param top the most likely tokens, most likely first, ties by lower id; as many as asked for
 */
public record GeneratedToken(int choice, int index, int tokenId, OptionalDouble logprob, List<TokenLogprob> top) {

    /** A token and its natural log probability under the unmodified logits. */
    public record TokenLogprob(int tokenId, float logprob) {}

    /** Of the only answer. */
    public GeneratedToken(int index, int tokenId, OptionalDouble logprob, List<TokenLogprob> top) {
        this(0, index, tokenId, logprob, top);
    }
}

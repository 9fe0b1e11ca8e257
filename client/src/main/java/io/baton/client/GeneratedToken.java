package io.baton.client;

import java.util.List;
import java.util.OptionalDouble;

/**
 * One token of the answer.
 *
 * @param choice number of the answer
 * @param index position in the output, counted from 0, emitted tokens of the request included
 * @param text text that became certain with this token; never half a character, so it can be empty
 * @param logprob under the unmodified logits, if asked for
 * @param mostLikely the most likely tokens, if asked for
 */
public record GeneratedToken(
        int choice, int index, int tokenId, String text, OptionalDouble logprob, List<Likelihood> mostLikely) {

    public GeneratedToken {
        mostLikely = List.copyOf(mostLikely);
    }

    /** One token's probability. */
    public record Likelihood(int tokenId, float logprob) {}
}

package io.baton.client;

import java.util.List;

/**
 * The whole of an answered request.
 *
 * @param choices the answers, by number
 */
public record GenerationResult(Started started, List<Choice> choices, Usage usage, RouteTaken route, TtftParts ttft) {

    public GenerationResult {
        choices = List.copyOf(choices);
    }

    /**
     * One answer.
     *
     * @param choice its number
     * @param text all of it
     * @param heldBack its end, which no token event carried because it was certain only when the sequence ended
     * @param tokenIds of this call; emitted tokens of the request are not repeated
     */
    public record Choice(int choice, FinishReason reason, String text, String heldBack, List<Integer> tokenIds) {
        public Choice {
            tokenIds = List.copyOf(tokenIds);
        }
    }

    /** The answer of a request for one. */
    public Choice only() {
        if (choices.size() != 1) {
            throw new IllegalStateException("expected one choice, found " + choices.size());
        }
        return choices.getFirst();
    }
}

package io.baton.engine;

import io.baton.engine.sample.SamplingParameters;
import io.baton.kv.SequenceRoot;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A prompt and the answers to generate to it. Several answers share the prompt's whole blocks; each goes on in blocks
 * of its own.
 *
 * @param owner names the request in leases and logs
 * @param promptTokens at least one
 * @param answers at least one, each with a number of its own
 * @param root identity of the sequence
 * @param maxTokens output tokens of each answer at most, emitted ones included; at least 1
 * @param stopTokens ids that end an answer
 * @param logprobs -1 for none, else how many most likely tokens to report beside the sampled one
 * @param priority higher is admitted first
 */
public record GenerationRequest(
        String owner,
        int[] promptTokens,
        List<Answer> answers,
        SequenceRoot root,
        SamplingParameters sampling,
        long seed,
        int maxTokens,
        Set<Integer> stopTokens,
        int logprobs,
        int priority) {

    private static final int[] NONE = {};

    /**
     * One answer. Answers to one prompt and seed differ by their number alone: what is drawn for number 3 is the same,
     * whether it is generated alone or beside others.
     *
     * @param choice its number
     * @param emittedTokens output of an earlier attempt, already known to the client or withheld; counts as output.
     *     With several answers, none may be complete already.
     */
    public record Answer(int choice, int[] emittedTokens) {

        /** Answers without a token yet, numbered from {@code firstChoice}. */
        public static List<Answer> fresh(int firstChoice, int count) {
            return IntStream.range(firstChoice, firstChoice + count)
                    .mapToObj(choice -> new Answer(choice, NONE))
                    .toList();
        }
    }

    public GenerationRequest {
        answers = List.copyOf(answers);
        stopTokens = Set.copyOf(stopTokens);
    }

    /** One answer, number 0. */
    public GenerationRequest(
            String owner,
            int[] promptTokens,
            int[] emittedTokens,
            SequenceRoot root,
            SamplingParameters sampling,
            long seed,
            int maxTokens,
            Set<Integer> stopTokens,
            int logprobs,
            int priority) {
        this(
                owner,
                promptTokens,
                List.of(new Answer(0, emittedTokens)),
                root,
                sampling,
                seed,
                maxTokens,
                stopTokens,
                logprobs,
                priority);
    }

    /** How many answers. */
    public int choices() {
        return answers.size();
    }

    /** Output that is computed like the prompt: what is known of the only answer; none of several. */
    public int[] emittedTokens() {
        return answers.size() == 1 ? answers.getFirst().emittedTokens() : NONE;
    }
}

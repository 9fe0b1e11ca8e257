package io.baton.engine;

import io.baton.engine.sample.SamplingParameters;
import io.baton.kv.SequenceRoot;
import java.util.Set;

/**
 * A sequence to decode.
 *
 * @param owner names the request in leases and logs
 * @param promptTokens at least one
 * @param emittedTokens output of an earlier attempt, already known to the client or withheld; counts as output
 * @param root identity of the sequence
 * @param maxTokens output tokens at most, emitted ones included; at least 1
 * @param stopTokens ids that end the sequence
 * @param logprobs -1 for none, else how many most likely tokens to report beside the sampled one
 * @param priority higher is admitted first
 * @param firstChoice number of the first answer; answers to one prompt and seed differ by their number alone
 * @param choices how many answers to generate, sharing the prompt's blocks; 1 if there are emitted tokens
 */
public record GenerationRequest(
        String owner,
        int[] promptTokens,
        int[] emittedTokens,
        SequenceRoot root,
        SamplingParameters sampling,
        long seed,
        int maxTokens,
        Set<Integer> stopTokens,
        int logprobs,
        int priority,
        int firstChoice,
        int choices) {

    public GenerationRequest {
        stopTokens = Set.copyOf(stopTokens);
    }

    /** One answer. */
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
        this(owner, promptTokens, emittedTokens, root, sampling, seed, maxTokens, stopTokens, logprobs, priority, 0, 1);
    }
}

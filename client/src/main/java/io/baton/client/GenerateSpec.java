package io.baton.client;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What to generate. Made by {@link #of(Prompt)} and its shorthands, which leave everything else at the gateway's
 * defaults.
 *
 * @param model empty means the only one served
 * @param seed drawn by the gateway unless given; the one in use is in {@link Started}
 * @param maxTokens 0 means the model's context length less the prompt
 * @param stopStrings output ends before the first of these
 * @param stopTokens output ends at any of these
 * @param ignoreEos go on past the model's end-of-sequence tokens
 * @param logprobs 0: of the sampled token; n: of the n most likely tokens too; empty: none
 * @param emittedTokens output of an earlier, interrupted answer to go on after
 * @param cacheSalt requests with different salts never share cached KV
 * @param choices independent answers to the one prompt, which is prefilled once
 * @param firstChoice number of the first answer, the others follow it; an answer is the same alone and beside others,
 *     so that one of several can be had again, or resumed, by its number and the seed
 * @param deadline for the whole call; empty means the client's default
 */
public record GenerateSpec(
        Prompt prompt,
        String model,
        SamplingSpec sampling,
        OptionalLong seed,
        int maxTokens,
        List<String> stopStrings,
        List<Integer> stopTokens,
        boolean ignoreEos,
        OptionalInt logprobs,
        List<Integer> emittedTokens,
        String cacheSalt,
        PrefillMode prefillMode,
        Fallback fallback,
        int choices,
        int firstChoice,
        int priority,
        Optional<Duration> deadline) {

    public GenerateSpec {
        stopStrings = List.copyOf(stopStrings);
        stopTokens = List.copyOf(stopTokens);
        emittedTokens = List.copyOf(emittedTokens);
        if (maxTokens < 0 || choices < 1 || firstChoice < 0) {
            throw new IllegalArgumentException(
                    "expected maxTokens >= 0, choices >= 1 and firstChoice >= 0, found %d, %d and %d"
                            .formatted(maxTokens, choices, firstChoice));
        }
    }

    public static Builder of(Prompt prompt) {
        return new Builder(prompt);
    }

    public static Builder text(String prompt) {
        return of(new Prompt.Text(prompt));
    }

    public static Builder tokens(List<Integer> ids) {
        return of(new Prompt.Tokens(ids));
    }

    public static Builder chat(List<Prompt.Message> messages) {
        return of(new Prompt.Chat(messages));
    }

    /** Not safe for concurrent use. */
    public static final class Builder {
        private final Prompt prompt;
        private String model = "";
        private SamplingSpec sampling = SamplingSpec.greedy();
        private OptionalLong seed = OptionalLong.empty();
        private int maxTokens;
        private List<String> stopStrings = List.of();
        private List<Integer> stopTokens = List.of();
        private boolean ignoreEos;
        private OptionalInt logprobs = OptionalInt.empty();
        private List<Integer> emittedTokens = List.of();
        private String cacheSalt = "";
        private PrefillMode prefillMode = PrefillMode.AUTO;
        private Fallback fallback = Fallback.LOCAL_PREFILL;
        private int choices = 1;
        private int firstChoice;
        private int priority;
        private Optional<Duration> deadline = Optional.empty();

        private Builder(Prompt prompt) {
            this.prompt = prompt;
        }

        public Builder model(String model) {
            this.model = model;
            return this;
        }

        public Builder sampling(SamplingSpec sampling) {
            this.sampling = sampling;
            return this;
        }

        public Builder seed(long seed) {
            this.seed = OptionalLong.of(seed);
            return this;
        }

        public Builder maxTokens(int maxTokens) {
            this.maxTokens = maxTokens;
            return this;
        }

        public Builder stopStrings(List<String> stopStrings) {
            this.stopStrings = stopStrings;
            return this;
        }

        public Builder stopTokens(List<Integer> stopTokens) {
            this.stopTokens = stopTokens;
            return this;
        }

        public Builder ignoreEos(boolean ignoreEos) {
            this.ignoreEos = ignoreEos;
            return this;
        }

        public Builder logprobs(int ofMostLikely) {
            this.logprobs = OptionalInt.of(ofMostLikely);
            return this;
        }

        public Builder emittedTokens(List<Integer> emittedTokens) {
            this.emittedTokens = emittedTokens;
            return this;
        }

        public Builder cacheSalt(String cacheSalt) {
            this.cacheSalt = cacheSalt;
            return this;
        }

        public Builder prefillMode(PrefillMode prefillMode) {
            this.prefillMode = prefillMode;
            return this;
        }

        public Builder fallback(Fallback fallback) {
            this.fallback = fallback;
            return this;
        }

        public Builder choices(int choices) {
            this.choices = choices;
            return this;
        }

        public Builder firstChoice(int firstChoice) {
            this.firstChoice = firstChoice;
            return this;
        }

        public Builder priority(int priority) {
            this.priority = priority;
            return this;
        }

        public Builder deadline(Duration deadline) {
            this.deadline = Optional.of(deadline);
            return this;
        }

        public GenerateSpec build() {
            return new GenerateSpec(
                    prompt,
                    model,
                    sampling,
                    seed,
                    maxTokens,
                    stopStrings,
                    stopTokens,
                    ignoreEos,
                    logprobs,
                    emittedTokens,
                    cacheSalt,
                    prefillMode,
                    fallback,
                    choices,
                    firstChoice,
                    priority,
                    deadline);
        }
    }
}

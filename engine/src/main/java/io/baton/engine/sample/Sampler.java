package io.baton.engine.sample;

import io.baton.engine.EngineException;
import io.baton.engine.GeneratedToken;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Draws one sequence's tokens. What it draws is a function of (logits, parameters, seed, choice, prompt, tokens before)
 * alone, so a sampler started with the tokens emitted so far continues as the first one would have. Confined to the
 * scheduler thread.
 */
public final class Sampler {

    private final List<LogitStep> logitSteps = new ArrayList<>();
    private final List<Filter> filters = new ArrayList<>();
    private final SamplingParameters parameters;
    private final Temperature temperature; // of no use when greedy
    private final long seed;
    private final int choice;
    private final int logprobs;
    private final TokenCounts counts; // filled only when penalties need it
    private int index;

    /**
     * @param choice which of several answers to one prompt
     * @param emitted output so far
     * @param logprobs -1 for none, else how many most likely tokens to report beside the sampled one
     */
    public Sampler(SamplingParameters parameters, long seed, int choice, int[] prompt, int[] emitted, int logprobs) {
        this.parameters = parameters;
        this.temperature = new Temperature(parameters.temperature());
        this.seed = seed;
        this.choice = choice;
        this.logprobs = logprobs;
        this.counts = new TokenCounts();
        this.index = emitted.length;
        if (parameters.penalises()) {
            counts.addPrompt(prompt);
            for (int token : emitted) {
                counts.addOutput(token);
            }
        }
        addLogitSteps();
        addFilters();
    }

    private void addLogitSteps() {
        if (parameters.repetitionPenalty() != 1) {
            logitSteps.add(new LogitStep.Repetition(parameters.repetitionPenalty()));
        }
        if (parameters.presencePenalty() != 0 || parameters.frequencyPenalty() != 0) {
            logitSteps.add(new LogitStep.Occurrence(parameters.presencePenalty(), parameters.frequencyPenalty()));
        }
        if (!parameters.logitBias().isEmpty()) {
            logitSteps.add(new LogitStep.Bias(parameters.logitBias()));
        }
    }

    private void addFilters() {
        if (parameters.topK() > 0) {
            filters.add(new Filter.TopK(parameters.topK()));
        }
        if (parameters.topP() < 1) {
            filters.add(new Filter.TopP(parameters.topP()));
        }
        if (parameters.minP() > 0) {
            filters.add(new Filter.MinP(parameters.minP()));
        }
        if (parameters.typicalP() < 1) {
            filters.add(new Filter.Typical(parameters.typicalP()));
        }
    }

    /**
     * The next token, which now counts as output. Leaves {@code logits} as they are.
     *
     * @throws EngineException INTERNAL if a logit is not finite
     */
    public GeneratedToken next(float[] logits, Candidates scratch) {
        requireFinite(logits);
        int token = draw(logits, scratch);
        GeneratedToken generated = logprobs < 0
                ? new GeneratedToken(choice, index, token, OptionalDouble.empty(), List.of())
                : withLogprobs(token, new Logprobs(logits), scratch);
        index++;
        if (parameters.penalises()) {
            counts.addOutput(token);
        }
        return generated;
    }

    private GeneratedToken withLogprobs(int token, Logprobs unmodified, Candidates scratch) {
        return new GeneratedToken(
                choice, index, token, OptionalDouble.of(unmodified.of(token)), unmodified.top(logprobs, scratch));
    }

    private int draw(float[] unmodified, Candidates scratch) {
        float[] logits = logitSteps.isEmpty() ? unmodified : unmodified.clone();
        for (LogitStep step : logitSteps) {
            step.apply(logits, counts);
        }
        if (parameters.greedy()) {
            return highest(logits);
        }
        scratch.load(logits, temperature);
        for (Filter filter : filters) {
            filter.apply(scratch);
        }
        return scratch.pick(Philox.uniform(seed, choice, index, 0));
    }

    /** Ties go to the lower id. */
    private static int highest(float[] logits) {
        int best = 0;
        for (int token = 1; token < logits.length; token++) {
            if (logits[token] > logits[best]) {
                best = token;
            }
        }
        return best;
    }

    private static void requireFinite(float[] logits) {
        for (int token = 0; token < logits.length; token++) {
            if (!Float.isFinite(logits[token])) {
                throw new EngineException(
                        EngineException.Kind.INTERNAL,
                        "the logit of token %d is %s; the model's weights or activations overflow"
                                .formatted(token, logits[token]));
            }
        }
    }
}

package io.baton.gateway;

import static io.baton.gateway.Refusals.require;

import io.baton.proto.v1.Sampling;
import java.util.Map;

/**
 * The ranges of {@code baton.v1.Sampling}, as its comments state them. Which of its parts are served, a decode node
 * says.
 */
final class SamplingChecks {

    static final int MAX_LOGIT_BIASES = 1_024;

    private SamplingChecks() {}

    static void check(Sampling sampling, int vocabularySize) {
        within("sampling.temperature", sampling.getTemperature(), 0, 100);
        require(
                sampling.getTopK() >= 0,
                "sampling.top_k",
                Integer.toUnsignedString(sampling.getTopK()),
                "at most " + Integer.MAX_VALUE);
        if (sampling.hasTopP()) {
            share("sampling.top_p", sampling.getTopP());
        }
        within("sampling.min_p", sampling.getMinP(), 0, 1);
        if (sampling.hasTypicalP()) {
            share("sampling.typical_p", sampling.getTypicalP());
        }
        if (sampling.hasRepetitionPenalty()) {
            float penalty = sampling.getRepetitionPenalty();
            require(
                    penalty > 0 && penalty <= 100,
                    "sampling.repetition_penalty",
                    penalty,
                    "above 0 and at most 100; 1 changes nothing");
        }
        within("sampling.presence_penalty", sampling.getPresencePenalty(), -2, 2);
        within("sampling.frequency_penalty", sampling.getFrequencyPenalty(), -2, 2);
        biases(sampling.getLogitBiasMap(), vocabularySize);
    }

    private static void biases(Map<Integer, Float> biases, int vocabularySize) {
        require(
                biases.size() <= MAX_LOGIT_BIASES,
                "sampling.logit_bias",
                biases.size() + " entries",
                "at most " + MAX_LOGIT_BIASES);
        biases.forEach((token, bias) -> {
            require(
                    token >= 0 && token < vocabularySize,
                    "sampling.logit_bias",
                    "token " + Integer.toUnsignedString(token),
                    "a token id below " + vocabularySize);
            within("sampling.logit_bias[%d]".formatted(token), bias, -100, 100);
        });
    }

    /** Written so that NaN fails. */
    private static void within(String field, float value, int least, int most) {
        require(value >= least && value <= most, field, value, "%d to %d".formatted(least, most));
    }

    private static void share(String field, float value) {
        require(value > 0 && value <= 1, field, value, "above 0 and at most 1");
    }
}

package io.baton.client;

import java.util.Map;

/**
 * How a token is drawn. {@link #greedy()} is the default; the {@code with…} methods change one thing each.
 *
 * @param temperature 0 is greedy
 * @param topK 0 keeps all
 * @param topP 1 keeps all
 * @param minP 0 keeps all
 * @param typicalP 1 keeps all
 * @param repetitionPenalty 1 changes nothing
 * @param logitBias added to the logit of a token id
 */
public record SamplingSpec(
        float temperature,
        int topK,
        float topP,
        float minP,
        float typicalP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        Map<Integer, Float> logitBias) {

    public SamplingSpec {
        logitBias = Map.copyOf(logitBias);
    }

    /** The most likely token every time. */
    public static SamplingSpec greedy() {
        return new SamplingSpec(0, 0, 1, 0, 1, 1, 0, 0, Map.of());
    }

    public SamplingSpec withTemperature(float value) {
        return new SamplingSpec(
                value, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias);
    }

    public SamplingSpec withTopK(int value) {
        return new SamplingSpec(
                temperature,
                value,
                topP,
                minP,
                typicalP,
                repetitionPenalty,
                presencePenalty,
                frequencyPenalty,
                logitBias);
    }

    public SamplingSpec withTopP(float value) {
        return new SamplingSpec(
                temperature,
                topK,
                value,
                minP,
                typicalP,
                repetitionPenalty,
                presencePenalty,
                frequencyPenalty,
                logitBias);
    }

    public SamplingSpec withMinP(float value) {
        return new SamplingSpec(
                temperature,
                topK,
                topP,
                value,
                typicalP,
                repetitionPenalty,
                presencePenalty,
                frequencyPenalty,
                logitBias);
    }

    public SamplingSpec withTypicalP(float value) {
        return new SamplingSpec(
                temperature, topK, topP, minP, value, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias);
    }

    public SamplingSpec withPenalties(float repetition, float presence, float frequency) {
        return new SamplingSpec(temperature, topK, topP, minP, typicalP, repetition, presence, frequency, logitBias);
    }

    public SamplingSpec withLogitBias(Map<Integer, Float> bias) {
        return new SamplingSpec(
                temperature, topK, topP, minP, typicalP, repetitionPenalty, presencePenalty, frequencyPenalty, bias);
    }
}

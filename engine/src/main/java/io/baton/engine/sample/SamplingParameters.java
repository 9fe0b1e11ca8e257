package io.baton.engine.sample;

import java.util.Collections;
import java.util.Map;

/**
 * How a token is drawn. Logits are changed first, in this order: repetition penalty, presence and frequency penalty,
 * bias. Temperature 0 then takes the highest; otherwise filters apply to the distribution in this order: temperature,
 * top-k, top-p, min-p, typical. Each filter sees what the ones before it kept, renormalised.
 *
 * @param temperature 0 is greedy; otherwise logits are divided by it
 * @param topK keep the k most likely tokens; 0 keeps all
 * @param topP keep the smallest set of most likely tokens whose probability reaches it; 1 keeps all
 * @param minP drop tokens less likely than {@code minP} times the most likely one; 0 keeps all
 * @param typicalP keep the tokens of most typical surprise whose probability reaches it; 1 keeps all
 * @param repetitionPenalty above 1 makes tokens of prompt and output less likely; 1 does nothing
 * @param presencePenalty subtracted from the logit of each token in the output; 0 does nothing
 * @param frequencyPenalty subtracted from the logit of each token in the output once per occurrence; 0 does nothing
 * @param logitBias added to the logits of these token ids
 */
public record SamplingParameters(
        float temperature,
        int topK,
        float topP,
        float minP,
        float typicalP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        Map<Integer, Float> logitBias) {

    public static final SamplingParameters GREEDY = new SamplingParameters(0, 0, 1, 0);

    private static final int MAX_BIASES = 1024;

    public SamplingParameters {
        require(temperature >= 0 && temperature <= 100, "temperature", "between 0 and 100", temperature);
        require(topK >= 0, "top-k", "at least 0", topK);
        require(topP > 0 && topP <= 1, "top-p", "above 0 and at most 1", topP);
        require(minP >= 0 && minP <= 1, "min-p", "between 0 and 1", minP);
        require(typicalP > 0 && typicalP <= 1, "typical-p", "above 0 and at most 1", typicalP);
        require(
                repetitionPenalty > 0 && repetitionPenalty <= 100,
                "repetition-penalty",
                "above 0 and at most 100",
                repetitionPenalty);
        require(Math.abs(presencePenalty) <= 2, "presence-penalty", "between -2 and 2", presencePenalty);
        require(Math.abs(frequencyPenalty) <= 2, "frequency-penalty", "between -2 and 2", frequencyPenalty);
        require(
                logitBias.size() <= MAX_BIASES,
                "the number of logit biases",
                "at most " + MAX_BIASES,
                logitBias.size());
        logitBias.forEach((token, bias) -> {
            require(token >= 0, "the token id of a logit bias", "at least 0", token);
            require(Math.abs(bias) <= 100, "the logit bias of token " + token, "between -100 and 100", bias);
        });
        logitBias = Map.copyOf(logitBias);
    }

    /** Without penalties, bias and typical filtering. */
    public SamplingParameters(float temperature, int topK, float topP, float minP) {
        this(temperature, topK, topP, minP, 1, 1, 0, 0, Map.of());
    }

    public boolean greedy() {
        return temperature == 0;
    }

    /** Whether a draw depends on which tokens came before. */
    public boolean penalises() {
        return repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0;
    }

    /** The highest token id that is named; -1 for none. */
    public int highestTokenId() {
        return logitBias.isEmpty() ? -1 : Collections.max(logitBias.keySet());
    }

    private static void require(boolean holds, String name, String range, Number found) {
        if (!holds) {
            throw new IllegalArgumentException("%s must be %s, found %s".formatted(name, range, found));
        }
    }
}

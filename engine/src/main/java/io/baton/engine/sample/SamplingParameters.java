package io.baton.engine.sample;

/**
 * How a token is drawn. Filters apply in this order: temperature, top-k, top-p, min-p.
 *
 * @param temperature 0 is greedy; otherwise logits are divided by it
 * @param topK keep the k most likely tokens; 0 keeps all
 * @param topP keep the smallest set of most likely tokens whose probability reaches it; 1 keeps all
 * @param minP drop tokens less likely than {@code minP} times the most likely one; 0 keeps all
 */
public record SamplingParameters(float temperature, int topK, float topP, float minP) {

    public static final SamplingParameters GREEDY = new SamplingParameters(0, 0, 1, 0);

    public SamplingParameters {
        require(temperature >= 0 && temperature <= 100, "temperature", "between 0 and 100", temperature);
        require(topK >= 0, "top-k", "at least 0", topK);
        require(topP > 0 && topP <= 1, "top-p", "above 0 and at most 1", topP);
        require(minP >= 0 && minP <= 1, "min-p", "between 0 and 1", minP);
    }

    public boolean greedy() {
        return temperature == 0;
    }

    private static void require(boolean holds, String name, String range, Number found) {
        if (!holds) {
            throw new IllegalArgumentException("%s must be %s, found %s".formatted(name, range, found));
        }
    }
}

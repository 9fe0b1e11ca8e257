package io.baton.engine.sample;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The distribution that parameters describe, computed once more and differently: in double, over arrays of
 * probabilities, each step written down from its definition. The steps come in the order that is asked for, so that a
 * test can tell the right order from others.
 */
final class SamplingReference {

    /** One step; {@link #ORDER} is the right order. */
    enum Step {
        REPETITION,
        OCCURRENCE,
        BIAS,
        TEMPERATURE,
        TOP_K,
        TOP_P,
        MIN_P,
        TYPICAL
    }

    static final List<Step> ORDER = List.of(Step.values());

    private final SamplingParameters parameters;
    private final int[] prompt;
    private final int[] output;

    SamplingReference(SamplingParameters parameters, int[] prompt, int[] output) {
        this.parameters = parameters;
        this.prompt = prompt;
        this.output = output;
    }

    /** The probability of each token. */
    double[] distribution(float[] logits, List<Step> order) {
        double[] z =
                IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).toArray();
        for (Step step : order) {
            z = apply(step, z);
        }
        return softmax(z);
    }

    /** Logits after a step; what is filtered out has minus infinity. */
    private double[] apply(Step step, double[] z) {
        double[] p = softmax(z);
        return switch (step) {
            case REPETITION -> map(z, i -> !seen(i) ? z[i] : z[i] > 0 ? z[i] / repetition() : z[i] * repetition());
            case OCCURRENCE ->
                map(
                        z,
                        i -> count(i) == 0
                                ? z[i]
                                : z[i]
                                        - parameters.presencePenalty()
                                        - count(i) * (double) parameters.frequencyPenalty());
            case BIAS -> map(z, i -> z[i] + parameters.logitBias().getOrDefault(i, 0f));
            case TEMPERATURE -> map(z, i -> z[i] / parameters.temperature());
            case TOP_K ->
                keep(
                        z,
                        likeliest(p)
                                .subList(0, parameters.topK() == 0 ? z.length : Math.min(z.length, parameters.topK())));
            case TOP_P -> keep(z, reaching(parameters.topP(), likeliest(p), p));
            case MIN_P -> {
                double least = parameters.minP() * Arrays.stream(p).max().orElseThrow();
                yield keep(z, likeliest(p).stream().filter(i -> p[i] >= least).toList());
            }
            case TYPICAL -> {
                double entropy = IntStream.range(0, p.length)
                        .filter(i -> p[i] > 0)
                        .mapToDouble(i -> -p[i] * Math.log(p[i]))
                        .sum();
                List<Integer> typical = likeliest(p).stream()
                        .filter(i -> p[i] > 0)
                        .sorted(Comparator.comparingDouble(i -> Math.abs(-Math.log(p[i]) - entropy)))
                        .toList();
                yield keep(z, reaching(parameters.typicalP(), typical, p));
            }
        };
    }

    private double repetition() {
        return parameters.repetitionPenalty();
    }

    private boolean seen(int token) {
        return count(token) > 0 || Arrays.stream(prompt).anyMatch(each -> each == token);
    }

    private long count(int token) {
        return Arrays.stream(output).filter(each -> each == token).count();
    }

    /** The first of them whose probabilities together reach {@code mass}. */
    private static List<Integer> reaching(double mass, List<Integer> tokens, double[] p) {
        if (mass == 1) {
            return tokens;
        }
        double sum = 0;
        for (int kept = 0; kept < tokens.size(); kept++) {
            sum += p[tokens.get(kept)];
            if (sum >= mass) {
                return tokens.subList(0, kept + 1);
            }
        }
        return tokens;
    }

    private static List<Integer> likeliest(double[] p) {
        return IntStream.range(0, p.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -p[i]).thenComparing(i -> i))
                .toList();
    }

    private static double[] keep(double[] z, List<Integer> tokens) {
        return map(z, i -> tokens.contains(i) ? z[i] : Double.NEGATIVE_INFINITY);
    }

    private static double[] map(double[] z, IntToDoubleFunction value) {
        return IntStream.range(0, z.length).mapToDouble(value).toArray();
    }

    private static double[] softmax(double[] z) {
        double highest = Arrays.stream(z).max().orElseThrow();
        double sum = Arrays.stream(z).map(each -> Math.exp(each - highest)).sum();
        return Arrays.stream(z).map(each -> Math.exp(each - highest) / sum).toArray();
    }
}

package io.baton.engine.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Draws with fixed seeds against the distribution that each formula gives, by a chi-square test. */
class SamplingDistributionTest {

    private static final int DRAWS = 20_000;
    private static final float[] LOGITS = {0.3f, 2.1f, -1.0f, 1.4f, 0.0f, 2.0f, -0.5f, 1.9f, 0.7f, -2.5f};
    private static final int[] NONE = {};

    /** 99.9 % quantiles of chi-square by degrees of freedom. */
    private static final double[] CRITICAL = {0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32, 26.12, 27.88};

    @Test
    void temperatureDividesTheLogits() {
        for (float temperature : new float[] {0.3f, 0.7f, 1, 2.5f}) {
            double[] scaled = new double[LOGITS.length];
            Arrays.setAll(scaled, i -> LOGITS[i] / (double) temperature);
            check(new SamplingParameters(temperature, 0, 1, 0), NONE, NONE, softmax(scaled));
        }
    }

    @Test
    void topKKeepsTheKMostLikely() {
        check(new SamplingParameters(1, 4, 1, 0), NONE, NONE, keeping(softmax(logits()), 1, 5, 7, 3));
        check(new SamplingParameters(1, 100, 1, 0), NONE, NONE, softmax(logits()));
    }

    @Test
    void topPKeepsTheSmallestSetThatReachesIt() {
        double[] p = softmax(logits());
        List<Integer> order = byProbability(p);
        for (double topP : new double[] {0.1, 0.5, 0.8, 0.99}) {
            int kept = 0;
            for (double sum = 0; sum < topP; kept++) {
                sum += p[order.get(kept)];
            }
            check(new SamplingParameters(1, 0, (float) topP, 0), NONE, NONE, keeping(p, ids(order, kept)));
        }
    }

    @Test
    void minPKeepsTokensAtLeastThatLikelyRelativeToTheMostLikely() {
        double[] p = softmax(logits());
        double highest = Arrays.stream(p).max().orElseThrow();
        for (double minP : new double[] {0.05, 0.3, 0.85, 1}) {
            int[] kept = IntStream.range(0, p.length)
                    .filter(i -> p[i] >= (float) minP * highest)
                    .toArray();
            check(new SamplingParameters(1, 0, 1, (float) minP), NONE, NONE, keeping(p, kept));
        }
    }

    @Test
    void typicalKeepsTheTokensWhoseSurpriseIsNearestTheEntropy() {
        double[] p = softmax(logits());
        double entropy = -Arrays.stream(p).map(each -> each * Math.log(each)).sum();
        List<Integer> order = IntStream.range(0, p.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> Math.abs(-Math.log(p[i]) - entropy)))
                .toList();
        for (double typicalP : new double[] {0.2, 0.5, 0.9}) {
            int kept = 0;
            for (double sum = 0; sum < (float) typicalP; kept++) {
                sum += p[order.get(kept)];
            }
            SamplingParameters parameters = new SamplingParameters(1, 0, 1, 0, (float) typicalP, 1, 0, 0, Map.of());
            check(parameters, NONE, NONE, keeping(p, ids(order, kept)));
        }
    }

    @Test
    void filtersApplyInOrderEachToWhatIsLeft() {
        double[] afterTopK = keeping(softmax(logits()), 1, 5, 7, 3, 8);
        // top-p 0.8 of the renormalised five keeps four; min-p 0.6 of the most likely keeps three
        List<Integer> order = byProbability(afterTopK);
        double sum = 0;
        int kept = 0;
        while (sum < 0.8f) {
            sum += afterTopK[order.get(kept++)];
        }
        double[] afterTopP = keeping(afterTopK, ids(order, kept));
        int[] atLeast = IntStream.range(0, 10)
                .filter(i -> afterTopP[i] >= 0.6f * afterTopP[1])
                .toArray();
        assertThat(kept).isEqualTo(4);
        assertThat(atLeast).hasSize(3);
        check(new SamplingParameters(1, 5, 0.8f, 0.6f), NONE, NONE, keeping(afterTopP, atLeast));
    }

    @Test
    void repetitionPenaltyDividesPositiveAndMultipliesNegativeLogitsOfSeenTokens() {
        double[] z = logits();
        z[1] /= 1.5f;
        z[2] *= 1.5f;
        z[7] /= 1.5f;
        SamplingParameters parameters = new SamplingParameters(1, 0, 1, 0, 1, 1.5f, 0, 0, Map.of());
        check(parameters, new int[] {1, 1, 2}, new int[] {7, 1}, softmax(z));
    }

    @Test
    void presenceAndFrequencyPenaltiesCountOutputTokensOnly() {
        double[] z = logits();
        z[1] -= 0.7f + 3 * 0.25f;
        z[8] -= 0.7f + 0.25f;
        SamplingParameters parameters = new SamplingParameters(1, 0, 1, 0, 1, 1, 0.7f, 0.25f, Map.of());
        check(parameters, new int[] {5, 5}, new int[] {1, 8, 1, 1}, softmax(z));
    }

    @Test
    void biasIsAddedToTheLogits() {
        double[] z = logits();
        z[9] += 5;
        z[1] -= 100;
        check(new SamplingParameters(1, 0, 1, 0, 1, 1, 0, 0, Map.of(9, 5f, 1, -100f)), NONE, NONE, softmax(z));
    }

    @Test
    void greedyHonoursPenaltiesAndBias() {
        SamplingParameters bias = new SamplingParameters(0, 0, 1, 0, 1, 1, 0, 0, Map.of(9, 10f));
        SamplingParameters penalty = new SamplingParameters(0, 0, 1, 0, 1, 2, 0, 0, Map.of());
        Candidates scratch = new Candidates(LOGITS.length);
        assertThat(new Sampler(bias, 1, 0, NONE, NONE, -1).next(LOGITS, scratch).tokenId())
                .isEqualTo(9);
        assertThat(new Sampler(penalty, 1, 0, new int[] {1}, NONE, -1)
                        .next(LOGITS, scratch)
                        .tokenId())
                .isEqualTo(5);
    }

    private static void check(SamplingParameters parameters, int[] prompt, int[] emitted, double[] expected) {
        int[] counts = new int[expected.length];
        Candidates scratch = new Candidates(LOGITS.length);
        for (int seed = 0; seed < DRAWS; seed++) {
            counts[
                    new Sampler(parameters, seed, 0, prompt, emitted, -1)
                            .next(LOGITS, scratch)
                            .tokenId()]++;
        }
        double chiSquare = 0;
        int cells = 0;
        for (int token = 0; token < expected.length; token++) {
            double mean = DRAWS * expected[token];
            if (mean < 1e-6) {
                assertThat(counts[token]).as("token %d is filtered out", token).isZero();
            } else {
                chiSquare += (counts[token] - mean) * (counts[token] - mean) / mean;
                cells++;
            }
        }
        if (cells > 1) {
            assertThat(chiSquare)
                    .as("%s drew %s, expected %s", parameters, Arrays.toString(counts), Arrays.toString(expected))
                    .isLessThan(CRITICAL[cells - 1]);
        }
    }

    private static double[] logits() {
        return IntStream.range(0, LOGITS.length).mapToDouble(i -> LOGITS[i]).toArray();
    }

    private static double[] softmax(double[] z) {
        double sum = Arrays.stream(z).map(Math::exp).sum();
        return Arrays.stream(z).map(each -> Math.exp(each) / sum).toArray();
    }

    private static double[] keeping(double[] p, int... tokens) {
        double sum = Arrays.stream(tokens).mapToDouble(token -> p[token]).sum();
        double[] kept = new double[p.length];
        for (int token : tokens) {
            kept[token] = p[token] / sum;
        }
        return kept;
    }

    private static List<Integer> byProbability(double[] p) {
        return IntStream.range(0, p.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -p[i]).thenComparing(i -> i))
                .toList();
    }

    private static int[] ids(List<Integer> order, int count) {
        return order.subList(0, count).stream().mapToInt(Integer::intValue).toArray();
    }
}

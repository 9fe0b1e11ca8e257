package io.baton.engine.sample;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.sample.SamplingReference.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** All samplers together: draws with fixed seeds against {@link SamplingReference}, by a chi-square test. */
class SamplingCombinationTest {

    private static final int VOCABULARY = 12;
    private static final int DRAWS = 20_000;
    private static final double LEAST_EXPECTED = 5; // of a cell, as the test asks for; rarer tokens share one

    /** 99.9 % quantiles of chi-square by degrees of freedom. */
    private static final double[] CRITICAL = {
        0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32, 26.12, 27.88, 29.59, 31.26, 32.91
    };

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void anyCombinationDrawsFromTheDistributionOfItsFormulas(long seed) {
        Case drawn = Case.random(new Random(seed), seed % 2 == 0);
        double[] expected = drawn.reference(SamplingReference.ORDER);
        assertThat(chiSquare(drawn.draws(), expected))
                .as("%s gives %s", drawn.parameters, Arrays.toString(expected))
                .isLessThan(critical(expected));
    }

    /** Bias and occurrence penalties only add, top-k and min-p both cut a tail: these may change places. */
    @ParameterizedTest
    @CsvSource({
        "REPETITION, OCCURRENCE",
        "REPETITION, BIAS",
        "TEMPERATURE, TOP_P",
        "TEMPERATURE, MIN_P",
        "TEMPERATURE, TYPICAL",
        "TOP_K, TOP_P",
        "TOP_P, MIN_P",
        "MIN_P, TYPICAL",
        "TOP_P, TYPICAL"
    })
    void theStepsApplyInThisOrderAndNoOther(Step earlier, Step later) {
        List<Step> swapped = new ArrayList<>(SamplingReference.ORDER);
        Collections.swap(swapped, swapped.indexOf(earlier), swapped.indexOf(later));
        Case telling = telling(swapped);
        int[] draws = telling.draws();
        double[] right = telling.reference(SamplingReference.ORDER);
        double[] wrong = telling.reference(swapped);
        assertThat(chiSquare(draws, right)).isLessThan(critical(right));
        assertThat(chiSquare(draws, wrong)).isGreaterThan(10 * critical(wrong));
    }

    /** A case whose distribution is clearly another when the steps come in the other order. */
    private static Case telling(List<Step> other) {
        for (int seed = 100; seed < 2_000; seed++) {
            Case drawn = Case.random(new Random(seed), true);
            double[] right = drawn.reference(SamplingReference.ORDER);
            double[] wrong = drawn.reference(other);
            double distance = 0;
            for (int token = 0; token < VOCABULARY; token++) {
                distance += Math.abs(right[token] - wrong[token]) / 2;
            }
            if (distance > 0.15) {
                return drawn;
            }
        }
        throw new AssertionError("no case tells " + other + " from the right order");
    }

    @Test
    void drawsAlongAnOutputAndAcrossChoicesAreIndependentAndOfOneDistribution() {
        SamplingParameters plain = new SamplingParameters(1.3f, 0, 1, 0);
        float[] logits = {0, 1, 2, 0.5f};
        double[] expected =
                new SamplingReference(plain, new int[0], new int[0]).distribution(logits, SamplingReference.ORDER);
        Candidates scratch = new Candidates(logits.length);
        Sampler along = new Sampler(plain, 7, 0, new int[0], new int[0], -1);
        int[] counts = new int[4];
        int[] choices = new int[4];
        int[] pairs = new int[16];
        int before = 0;
        for (int i = 0; i < DRAWS; i++) {
            int token = along.next(logits, scratch).tokenId();
            int ofChoice = new Sampler(plain, 7, i, new int[0], new int[0], -1)
                    .next(logits, scratch)
                    .tokenId();
            counts[token]++;
            choices[ofChoice]++;
            pairs[4 * before + token]++;
            before = token;
        }
        assertThat(chiSquare(counts, expected)).isLessThan(CRITICAL[3]);
        assertThat(chiSquare(choices, expected)).isLessThan(CRITICAL[3]);
        double[] independent = new double[16];
        for (int pair = 0; pair < independent.length; pair++) {
            independent[pair] = expected[pair / 4] * expected[pair % 4];
        }
        assertThat(chiSquare(pairs, independent))
                .as("99.9 %% of 15 degrees of freedom")
                .isLessThan(37.70);
    }

    private record Case(SamplingParameters parameters, float[] logits, int[] prompt, int[] output) {

        /** @param everything uses every sampler; otherwise each with a chance of one half */
        static Case random(Random random, boolean everything) {
            float[] logits = new float[VOCABULARY];
            for (int token = 0; token < VOCABULARY; token++) {
                logits[token] = (float) (1.5 * random.nextGaussian());
            }
            Map<Integer, Float> bias = new HashMap<>();
            if (everything || random.nextBoolean()) {
                for (int i = 0; i < 3; i++) {
                    bias.put(random.nextInt(VOCABULARY), (float) random.nextGaussian());
                }
            }
            SamplingParameters parameters = new SamplingParameters(
                    0.4f + 1.4f * random.nextFloat(),
                    everything || random.nextBoolean() ? 4 + random.nextInt(8) : 0,
                    everything || random.nextBoolean() ? 0.6f + 0.39f * random.nextFloat() : 1,
                    everything || random.nextBoolean() ? 0.15f * random.nextFloat() : 0,
                    everything || random.nextBoolean() ? 0.5f + 0.49f * random.nextFloat() : 1,
                    everything || random.nextBoolean() ? 0.7f + random.nextFloat() : 1,
                    everything || random.nextBoolean() ? (float) random.nextGaussian(0, 0.5) : 0,
                    everything || random.nextBoolean() ? (float) random.nextGaussian(0, 0.3) : 0,
                    bias);
            return new Case(
                    parameters,
                    logits,
                    random.ints(4, 0, VOCABULARY).toArray(),
                    random.ints(5, 0, VOCABULARY).toArray());
        }

        double[] reference(List<Step> order) {
            return new SamplingReference(parameters, prompt, output).distribution(logits, order);
        }

        int[] draws() {
            int[] counts = new int[VOCABULARY];
            Candidates scratch = new Candidates(VOCABULARY);
            for (int seed = 0; seed < DRAWS; seed++) {
                counts[
                        new Sampler(parameters, seed, 0, prompt, output, -1)
                                .next(logits, scratch)
                                .tokenId()]++;
            }
            return counts;
        }
    }

    /** Infinite when something was drawn that cannot be. */
    private static double chiSquare(int[] counts, double[] expected) {
        int draws = Arrays.stream(counts).sum();
        double chiSquare = 0;
        double rareMean = 0;
        int rareCount = 0;
        for (int cell = 0; cell < expected.length; cell++) {
            double mean = draws * expected[cell];
            if (mean == 0 && counts[cell] > 0) {
                return Double.POSITIVE_INFINITY;
            }
            if (mean < LEAST_EXPECTED) {
                rareMean += mean;
                rareCount += counts[cell];
            } else {
                chiSquare += (counts[cell] - mean) * (counts[cell] - mean) / mean;
            }
        }
        return rareMean == 0
                ? chiSquare
                : chiSquare + (rareCount - rareMean) * (rareCount - rareMean) / Math.max(1, rareMean);
    }

    private static double critical(double[] expected) {
        int cells = (int) Arrays.stream(expected).filter(p -> p > 0).count();
        return CRITICAL[Math.max(1, cells - 1)];
    }
}

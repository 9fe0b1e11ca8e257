package io.baton.engine.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.baton.engine.EngineException;
import io.baton.engine.GeneratedToken;
import io.baton.engine.GeneratedToken.TokenLogprob;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplerTest {

    private static final int[] NONE = {};
    private static final SamplingParameters WARM = new SamplingParameters(0.8f, 0, 1, 0);

    @Test
    void greedyTakesTheHighestLogitAndTheLowerIdOfATie() {
        assertThat(draw(SamplingParameters.GREEDY, 1, 3, 2)).isEqualTo(1);
        assertThat(draw(SamplingParameters.GREEDY, 1, 3, 3)).isEqualTo(1);
        assertThat(draw(SamplingParameters.GREEDY, -1, -0.0f, 0.0f)).isEqualTo(1);
    }

    @Test
    void topKOfOneIsGreedyTiesIncluded() {
        SamplingParameters topOne = new SamplingParameters(1, 1, 1, 0);
        Random random = new Random(5);
        for (int i = 0; i < 200; i++) {
            float[] logits = new float[1 + random.nextInt(40)];
            for (int token = 0; token < logits.length; token++) {
                logits[token] = random.nextInt(5) - 2;
            }
            assertThat(draw(topOne, logits)).isEqualTo(draw(SamplingParameters.GREEDY, logits));
        }
    }

    @Test
    void aSamplerStartedFromEmittedTokensContinuesAsTheFirstWould() {
        SamplingParameters parameters =
                new SamplingParameters(1.2f, 12, 0.95f, 0.01f, 0.9f, 1.3f, 0.4f, 0.2f, Map.of(3, 1f));
        int[] prompt = {1, 2, 3};
        Random random = new Random(11);
        float[][] logits = new float[30][];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = randomLogits(random, 50);
        }
        int[] whole = tokens(new Sampler(parameters, 42, 0, prompt, NONE, -1), logits);
        for (int cut = 0; cut < logits.length; cut++) {
            Sampler resumed = new Sampler(parameters, 42, 0, prompt, Arrays.copyOf(whole, cut), -1);
            int[] rest = tokens(resumed, Arrays.copyOfRange(logits, cut, logits.length));
            assertThat(rest).isEqualTo(Arrays.copyOfRange(whole, cut, whole.length));
        }
    }

    @Test
    void anotherSeedOrChoiceDrawsAnotherSequence() {
        float[][] logits = new float[20][];
        Arrays.setAll(logits, i -> new float[100]);
        int[] base = tokens(new Sampler(WARM, 1, 0, NONE, NONE, -1), logits);
        assertThat(tokens(new Sampler(WARM, 1, 0, NONE, NONE, -1), logits)).isEqualTo(base);
        assertThat(tokens(new Sampler(WARM, 2, 0, NONE, NONE, -1), logits)).isNotEqualTo(base);
        assertThat(tokens(new Sampler(WARM, 1, 1, NONE, NONE, -1), logits)).isNotEqualTo(base);
    }

    @Test
    void logprobsAreThoseOfTheUnmodifiedLogits() {
        SamplingParameters parameters =
                new SamplingParameters(2, 3, 0.9f, 0.1f, 1, 1.5f, 1, 1, Map.of(0, -100f, 4, 5f));
        float[] logits = {2, 1, 0.5f, 1, -3};
        float[] before = logits.clone();
        GeneratedToken token =
                new Sampler(parameters, 9, 0, new int[] {1}, NONE, 3).next(logits, new Candidates(logits.length));
        assertThat(logits).isEqualTo(before);
        double sum = IntStream.range(0, 5).mapToDouble(i -> Math.exp(before[i])).sum();
        assertThat(token.top()).extracting(TokenLogprob::tokenId).containsExactly(0, 1, 3);
        for (TokenLogprob top : token.top()) {
            assertThat((double) top.logprob()).isCloseTo(before[top.tokenId()] - Math.log(sum), within(1e-6));
        }
        assertThat(token.logprob().orElseThrow()).isCloseTo(before[token.tokenId()] - Math.log(sum), within(1e-6));
    }

    @Test
    void noMoreTopTokensAreReportedThanThereAre() {
        GeneratedToken token = new Sampler(WARM, 9, 0, NONE, NONE, 20).next(new float[3], new Candidates(3));
        assertThat(token.top()).hasSize(3);
        assertThat(new Sampler(WARM, 9, 0, NONE, NONE, -1)
                        .next(new float[3], new Candidates(3))
                        .logprob())
                .isEmpty();
    }

    @Test
    void theOrderOfCandidatesIsThatOfASort() {
        Random random = new Random(3);
        for (int round = 0; round < 100; round++) {
            float[] logits = randomLogits(random, 1 + random.nextInt(200));
            for (int i = 0; i < logits.length / 3; i++) {
                logits[random.nextInt(logits.length)] = logits[0];
            }
            List<Integer> sorted = IntStream.range(0, logits.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer token) -> -logits[token])
                            .thenComparing(token -> token))
                    .toList();
            Candidates candidates = new Candidates(logits.length);
            candidates.load(logits, Temperature.ONE);
            assertThat(IntStream.range(0, logits.length)
                            .map(candidates::token)
                            .boxed()
                            .toList())
                    .isEqualTo(sorted);
        }
    }

    @Test
    void aLogitThatIsNotFiniteIsAnInternalError() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            assertThatThrownBy(() -> draw(WARM, 1, bad, 2))
                    .isInstanceOf(EngineException.class)
                    .hasMessageStartingWith("the logit of token 1 is " + bad);
        }
    }

    @Test
    void parametersOutOfRangeNameTheirRange() {
        assertThatThrownBy(() -> new SamplingParameters(-1, 0, 1, 0))
                .hasMessage("temperature must be between 0 and 100, found -1.0");
        assertThatThrownBy(() -> new SamplingParameters(1, 0, 0, 0))
                .hasMessage("top-p must be above 0 and at most 1, found 0.0");
        assertThatThrownBy(() -> new SamplingParameters(1, 0, 1, 0, 1, 0, 0, 0, Map.of()))
                .hasMessage("repetition-penalty must be above 0 and at most 100, found 0.0");
        assertThatThrownBy(() -> new SamplingParameters(1, 0, 1, 0, 1, 1, 0, Float.NaN, Map.of()))
                .hasMessage("frequency-penalty must be between -2 and 2, found NaN");
        assertThatThrownBy(() -> new SamplingParameters(1, 0, 1, 0, 1, 1, 0, 0, Map.of(7, 101f)))
                .hasMessage("the logit bias of token 7 must be between -100 and 100, found 101.0");
    }

    private static int draw(SamplingParameters parameters, float... logits) {
        return new Sampler(parameters, 1, 0, NONE, NONE, -1)
                .next(logits, new Candidates(logits.length))
                .tokenId();
    }

    private static int[] tokens(Sampler sampler, float[][] logits) {
        Candidates scratch = new Candidates(logits.length == 0 ? 1 : logits[0].length);
        return Arrays.stream(logits)
                .mapToInt(row -> sampler.next(row, scratch).tokenId())
                .toArray();
    }

    private static float[] randomLogits(Random random, int size) {
        float[] logits = new float[size];
        for (int i = 0; i < size; i++) {
            logits[i] = (float) (2 * random.nextGaussian());
        }
        return logits;
    }
}

package io.baton.engine.schedule;

import static io.baton.engine.schedule.TestingEngine.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.FinishReason;
import io.baton.engine.GeneratedToken;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationRequest;
import io.baton.engine.GenerationRequest.Answer;
import io.baton.engine.GenerationTimes;
import io.baton.engine.sample.SamplingParameters;
import io.baton.kv.SequenceRoot;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What an engine promises of a generation, turn by turn. */
class EngineSchedulerTest {

    private final TestingEngine engine = new TestingEngine(24, Requests.options(32, 4, 4));

    @Test
    void aGenerationIsAdmittedPrefilledInChunksAndDecoded() {
        GenerationRequest request = Requests.greedy("a", tokens(70), 5);
        TestingGeneration listener = new TestingGeneration(request);
        GenerationHandle handle = engine.submit(listener);
        engine.turn();
        assertThat(listener.admitted).isCompletedWithValue(0);
        engine.turn();
        assertThat(engine.runner.steps)
                .as("nothing runs until the caller says where")
                .isZero();
        handle.prefillLocally();
        engine.runUntilEnded(listener);
        assertThat(listener.prefilled).containsExactly(32, 64, 70);
        assertThat(listener.tokens(0)).isEqualTo(TestingModel.answer(request, 0).tokens());
        assertThat(listener.reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(engine.runner.steps)
                .as("three chunks, then a step for each token after the first")
                .isEqualTo(3 + 4);
        engine.assertIdle();
    }

    @Test
    void timesAddUp() {
        GenerationRequest request = Requests.greedy("a", tokens(40), 2);
        TestingGeneration listener = new TestingGeneration(request);
        engine.submitLocally(listener);
        engine.runUntilEnded(listener);
        GenerationTimes times = listener.times();
        assertThat(times).isNotNull();
        assertThat(List.of(times.admission(), times.prefillQueue(), times.prefillCompute(), times.firstStep()))
                .allMatch(Duration::isPositive);
        assertThat(times.admission()
                        .plus(times.prefillQueue())
                        .plus(times.prefillCompute())
                        .plus(times.firstStep()))
                .isLessThan(Duration.ofNanos(engine.clock()));
    }

    @Test
    void aSecondRequestFindsThePrefixOfTheFirst() {
        int[] prompt = tokens(48);
        engine.generate(Requests.greedy("a", prompt, 1));
        TestingGeneration again = engine.generate(Requests.greedy("b", prompt, 1));
        assertThat(again.admitted).as("the last token is computed again").isCompletedWithValue(32);
        TestingGeneration longer = engine.generate(Requests.greedy("c", Arrays.copyOf(prompt, 60), 1));
        assertThat(longer.admitted).isCompletedWithValue(48);
    }

    @Test
    void requestsAdmittedTogetherComputeACommonPrefixOnce() {
        TestingGeneration first = new TestingGeneration(Requests.greedy("a", tokens(70), 1));
        TestingGeneration second = new TestingGeneration(Requests.greedy("b", tokens(70), 1));
        engine.submitLocally(first);
        engine.submitLocally(second);
        engine.runUntilEnded(second);
        assertThat(second.admitted).isCompletedWithValue(0);
        assertThat(second.prefilled).containsExactly(70);
        assertThat(engine.runner.steps).isEqualTo(3);
        assertThat(second.tokens(0))
                .isEqualTo(TestingModel.answer(second.request, 0).tokens());
    }

    @Test
    void generatedBlocksAreCachedToo() {
        TestingGeneration first = engine.generate(Requests.greedy("a", tokens(16), 40));
        int[] history = IntStream.concat(Arrays.stream(tokens(16)), Arrays.stream(first.tokenIds(0)))
                .toArray();
        TestingGeneration next = engine.generate(Requests.greedy("b", history, 1));
        assertThat(next.admitted)
                .as("16 prompt and 39 computed output tokens are 3 whole blocks")
                .isCompletedWithValue(48);
    }

    @Test
    void decodingGoesOnBetweenTheChunksOfALongPrompt() {
        TestingGeneration decoding = new TestingGeneration(Requests.greedy("a", tokens(3), 30));
        engine.submitLocally(decoding);
        engine.turn();
        engine.turn();
        TestingGeneration lengthy = new TestingGeneration(Requests.greedy("b", tokens(96), 1));
        engine.submitLocally(lengthy);
        engine.turn();
        int before = decoding.tokenIds(0).length;
        engine.turns(3);
        assertThat(lengthy.prefilled).containsExactly(32, 64, 96);
        assertThat(decoding.tokenIds(0))
                .as("a token in each of the three steps")
                .hasSize(before + 3);
        engine.runUntilEnded(decoding);
    }

    @Test
    void shortPromptsShareAChunk() {
        List<TestingGeneration> listeners = new ArrayList<>();
        for (String owner : List.of("a", "b", "c")) {
            TestingGeneration listener = new TestingGeneration(Requests.greedy(owner, tokens(10), 1));
            listeners.add(listener);
            engine.submitLocally(listener);
        }
        engine.turns(2);
        assertThat(engine.runner.steps).isEqualTo(1);
        assertThat(listeners).allMatch(listener -> listener.ended.isDone());
    }

    @Test
    void theContextLengthEndsAnAnswer() {
        TestingGeneration listener = engine.generate(Requests.greedy("a", tokens(TestingModel.CONTEXT - 3), 50));
        assertThat(listener.tokenIds(0)).hasSize(3);
        assertThat(listener.reason()).isEqualTo(FinishReason.LENGTH);
    }

    @Test
    void aStopTokenIsTheLastToken() {
        int[] whole = engine.generate(Requests.greedy("a", tokens(5), 20)).tokenIds(0);
        GenerationRequest request = new GenerationRequest(
                "b",
                tokens(5),
                Requests.NONE,
                Requests.ROOT,
                SamplingParameters.GREEDY,
                1,
                20,
                Set.of(whole[6]),
                -1,
                0);
        TestingGeneration stopped = engine.generate(request);
        int first = IntStream.range(0, whole.length)
                .filter(i -> whole[i] == whole[6])
                .findFirst()
                .orElseThrow();
        assertThat(stopped.tokenIds(0)).isEqualTo(Arrays.copyOf(whole, first + 1));
        assertThat(stopped.reason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void aListenerEndsItsAnswer() {
        TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(5), 20)) {
            @Override
            public boolean token(GeneratedToken token) {
                super.token(token);
                return token.index() < 3;
            }
        };
        engine.submitLocally(listener);
        engine.runUntilEnded(listener);
        assertThat(listener.tokenIds(0)).hasSize(4);
        assertThat(listener.reason()).isEqualTo(FinishReason.STOP);
        engine.assertIdle();
    }

    @Test
    void aResumedSequenceContinuesWhereTheFirstStopped() {
        GenerationRequest request = new GenerationRequest(
                "a",
                tokens(20),
                Requests.NONE,
                Requests.ROOT,
                new SamplingParameters(1, 0, 1, 0),
                7,
                20,
                Set.of(),
                1,
                0);
        TestingGeneration whole = engine.generate(request);
        for (int cut : new int[] {1, 12, 13, 19}) {
            int[] emitted = Arrays.copyOf(whole.tokenIds(0), cut);
            TestingGeneration resumed = engine.generate(Requests.resumed(request, emitted));
            assertThat(resumed.tokens(0)).isEqualTo(whole.tokens(0).subList(cut, 20));
        }
        TestingGeneration complete = engine.generate(Requests.resumed(request, whole.tokenIds(0)));
        assertThat(complete.reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(complete.tokens).isEmpty();
    }

    @Test
    void severalAnswersShareThePromptsBlocks() {
        GenerationRequest one = new GenerationRequest(
                "a",
                tokens(40),
                Answer.fresh(0, 3),
                Requests.ROOT,
                new SamplingParameters(1, 0, 1, 0),
                7,
                9,
                Set.of(),
                0,
                0);
        TestingGeneration listener = new TestingGeneration(one);
        engine.submitLocally(listener);
        engine.turn();
        assertThat(engine.counts().committed())
                .as("3 blocks for one answer, and one more for each other")
                .isEqualTo(5);
        engine.turns(2);
        assertThat(engine.counts().inUse()).as("2 shared blocks, 3 own ones").isEqualTo(5);
        engine.runUntilEnded(listener);
        for (int choice = 0; choice < 3; choice++) {
            assertThat(listener.tokens(choice))
                    .isEqualTo(TestingModel.answer(one, choice).tokens());
        }
        assertThat(listener.tokenIds(0)).isNotEqualTo(listener.tokenIds(1));
        assertThat(listener.finished).hasSize(3);
        engine.assertIdle();
    }

    @Test
    void anAnswerIsTheSameAloneAndBesideOthers() {
        TestingGeneration together = engine.generate(answers(Answer.fresh(0, 4)));
        for (Answer answer : together.request.answers()) {
            TestingGeneration alone = engine.generate(answers(List.of(answer)));
            assertThat(alone.tokens(answer.choice())).isEqualTo(together.tokens(answer.choice()));
        }
        assertThat(together.tokenIds(1)).isNotEqualTo(together.tokenIds(2));
    }

    @Test
    void severalAnswersGoOnEachFromItsOwnOutput() {
        TestingGeneration whole = engine.generate(answers(Answer.fresh(0, 4)));
        List<Answer> begun = new ArrayList<>();
        int[] known = {0, 1, 39}; // and answer 2 is complete
        for (int choice : new int[] {0, 1, 3}) {
            begun.add(new Answer(choice, Arrays.copyOf(whole.tokenIds(choice), known[begun.size()])));
        }
        TestingEngine other = new TestingEngine(24, Requests.options(32, 4, 4));
        TestingGeneration rest = other.generate(answers(begun));
        for (Answer answer : begun) {
            int from = answer.emittedTokens().length;
            assertThat(rest.tokens(answer.choice()))
                    .as("answer %d after %d tokens", answer.choice(), from)
                    .isEqualTo(whole.tokens(answer.choice()).subList(from, 40));
        }
        assertThat(rest.tokens(2)).isEmpty();
        assertThat(rest.finished).hasSize(3);
        assertThat(other.runner.steps)
                .as("40 prompt tokens in two chunks; the known 39 in two more beside the others' tokens")
                .isEqualTo(2 + 39);
        other.assertIdle();
    }

    /** Of forty tokens each. */
    private static GenerationRequest answers(List<Answer> answers) {
        return new GenerationRequest(
                "a",
                tokens(40),
                answers,
                Requests.ROOT,
                new SamplingParameters(1, 0, 1, 0, 1, 1.2f, 0, 0.3f, Map.of()),
                7,
                40,
                Set.of(),
                2,
                0);
    }

    @Test
    void anActivationThatIsNotFiniteEndsOnlyItsSequence() {
        TestingGeneration healthy = new TestingGeneration(Requests.greedy("healthy", tokens(5), 10));
        engine.submitLocally(healthy);
        int[] poisoned = tokens(20);
        poisoned[17] = TestingModel.POISON;
        TestingGeneration sick = new TestingGeneration(Requests.greedy("sick", poisoned, 10));
        engine.submitLocally(sick);
        engine.runUntilEnded(healthy);
        EngineException failure = sick.failure();
        assertThat(failure).isNotNull();
        assertThat(failure.kind()).isEqualTo(Kind.INTERNAL);
        assertThat(failure).hasMessageContaining("sick has an activation that is not finite, in tokens 0 to 19");
        assertThat(healthy.tokens(0))
                .isEqualTo(TestingModel.answer(healthy.request, 0).tokens());
        assertThat(engine.generate(Requests.greedy("after", Arrays.copyOf(poisoned, 17), 1)).admitted)
                .as("no block of a broken chunk is shared")
                .isCompletedWithValue(0);
    }

    @Test
    void aListenerThatThrowsEndsOnlyItsSequence() {
        TestingGeneration healthy = new TestingGeneration(Requests.greedy("healthy", tokens(5), 10));
        engine.submitLocally(healthy);
        TestingGeneration throwing = new TestingGeneration(Requests.greedy("throwing", tokens(6), 10)) {
            @Override
            public boolean token(GeneratedToken token) {
                throw new IllegalStateException("out of cheese");
            }
        };
        engine.submitLocally(throwing);
        engine.runUntilEnded(healthy);
        assertThat(throwing.failure()).hasMessageContaining("out of cheese");
        assertThat(healthy.reason()).isEqualTo(FinishReason.LENGTH);
        engine.assertIdle();
    }

    @Test
    void aForwardPassThatThrowsEndsItsSequencesAndTheEngineGoesOn() {
        engine.runner.failNextRuns = 1;
        TestingGeneration failed = engine.generate(Requests.greedy("a", tokens(5), 10));
        assertThat(failed.failure()).hasMessageContaining("told to fail");
        assertThat(engine.generate(Requests.greedy("b", tokens(5), 10)).reason())
                .isEqualTo(FinishReason.LENGTH);
        engine.assertIdle();
    }

    @Test
    void anotherRootNeverSharesABlock() {
        engine.generate(Requests.greedy("a", tokens(48), 1));
        SequenceRoot salted = SequenceRoot.of(new byte[32], "", new byte[32], SequenceRoot.LOSSLESS);
        GenerationRequest request = new GenerationRequest(
                "b", tokens(48), Requests.NONE, salted, SamplingParameters.GREEDY, 1, 1, Set.of(), -1, 0);
        assertThat(engine.generate(request).admitted).isCompletedWithValue(0);
    }
}

package io.baton.engine.schedule;

import static io.baton.engine.schedule.TestingEngine.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.CacheListener;
import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.EngineLoad;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationRequest;
import io.baton.engine.GenerationRequest.Answer;
import io.baton.engine.sample.SamplingParameters;
import io.baton.kv.BlockChain;
import io.baton.kv.BlockHash;
import io.baton.kv.BlockKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Who gets in, who waits, who is refused, and what others are told. */
class EngineSchedulerAdmissionTest {

    private final TestingEngine engine = new TestingEngine(16, Requests.options(32, 4, 4));

    @Test
    void requestsWaitForBlocksInOrderOfPriorityAndArrival() {
        TestingGeneration holder = new TestingGeneration(Requests.greedy("holder", tokens(150), 40));
        GenerationHandle holding = engine.submit(holder);
        engine.turn();
        List<String> order = new ArrayList<>();
        for (int priority : new int[] {0, 0, 5}) {
            String owner = "priority %d, number %d"
                    .formatted(priority, engine.engine.load().waitingSequences());
            GenerationRequest request = new GenerationRequest(
                    owner,
                    tokens(150),
                    Requests.NONE,
                    Requests.ROOT,
                    SamplingParameters.GREEDY,
                    1,
                    1,
                    Set.of(),
                    -1,
                    priority);
            TestingGeneration listener = new TestingGeneration(request);
            listener.whenAdmitted(() -> order.add(owner));
            engine.submitLocally(listener);
            engine.turn();
        }
        assertThat(order).isEmpty();
        holding.cancel(Kind.CANCELLED, "the test lets the others in");
        engine.turns(40);
        assertThat(order).hasSize(3).first().asString().startsWith("priority 5");
        assertThat(order.subList(1, 3)).isSorted();
    }

    @Test
    void whatCanNeverBeServedIsRefusedWithNumbers() {
        TestingEngine small = new TestingEngine(3, Requests.options(32, 4, 4));
        assertRefused(
                small,
                Requests.greedy("a", tokens(TestingModel.CONTEXT), 1),
                Kind.OUT_OF_RANGE,
                "the prompt has 200 tokens, the context length is 200");
        assertRefused(
                small,
                Requests.greedy("a", tokens(20), 50),
                Kind.RESOURCE_EXHAUSTED,
                "20 prompt tokens and up to 50 output tokens need 5 blocks of 16 tokens, the whole pool has 3");
        assertThat(small.generate(Requests.greedy("a", tokens(19), 30)).tokenIds(0))
                .as("the last output token needs no room")
                .hasSize(30);
        assertRefused(
                small,
                new GenerationRequest(
                        "a",
                        tokens(20),
                        Answer.fresh(0, 3),
                        Requests.ROOT,
                        SamplingParameters.GREEDY,
                        1,
                        3,
                        Set.of(),
                        -1,
                        0),
                Kind.RESOURCE_EXHAUSTED,
                "20 prompt tokens and up to 3 output tokens of each of 3 answers need 4 blocks of 16 tokens");
        TestingPrefill prefill = new TestingPrefill(Requests.prefill("p", tokens(50)));
        small.submit(prefill).release();
        small.turn();
        assertThat(prefill.failure()).hasMessageStartingWith("50 prompt tokens need 4 blocks");
    }

    @Test
    void aMalformedRequestIsRefusedWithWhatWasFound() {
        assertInvalid(Requests.greedy("a", new int[] {1, 40}, 1), "token 1 of the prompt is 40, the vocabulary has 40");
        assertInvalid(Requests.greedy("a", Requests.NONE, 1), "the prompt is empty");
        assertInvalid(Requests.greedy("a", tokens(3), 0), "max tokens must be at least 1, found 0");
        SamplingParameters bias = new SamplingParameters(1, 0, 1, 0, 1, 1, 0, 0, Map.of(99, 1f));
        assertInvalid(request(bias, -1, 1), "a logit bias names token 99, the vocabulary has 40");
        assertInvalid(request(SamplingParameters.GREEDY, -2, 1), "logprobs must be at least -1, found -2");
        assertInvalid(request(SamplingParameters.GREEDY, -1, 5), "the number of answers must be between 1 and 4");
        assertInvalid(answers(), "the number of answers must be between 1 and 4 (max-sequences), found 0");
        assertInvalid(
                answers(new Answer(2, Requests.NONE), new Answer(2, Requests.NONE)), "answers are numbered [2, 2]");
        assertInvalid(answers(new Answer(-1, Requests.NONE)), "answers are numbered [-1]");
        assertInvalid(
                answers(new Answer(0, Requests.NONE), new Answer(1, new int[] {1, 40})),
                "token 1 of the emitted output is 40");
        assertInvalid(
                answers(new Answer(0, Requests.NONE), new Answer(1, new int[] {1, 2, 3})),
                "answer 1 is complete with its 3 emitted tokens; leave it out");
        assertInvalid(
                answers(new Answer(0, Requests.NONE), new Answer(1, new int[] {9})),
                "answer 1 is complete with its 1 emitted tokens");
    }

    private static GenerationRequest request(SamplingParameters sampling, int logprobs, int choices) {
        return new GenerationRequest(
                "a", tokens(3), Answer.fresh(0, choices), Requests.ROOT, sampling, 1, 1, Set.of(), logprobs, 0);
    }

    /** Of three tokens each at most; 9 is a stop token. */
    private static GenerationRequest answers(Answer... answers) {
        return new GenerationRequest(
                "a", tokens(3), List.of(answers), Requests.ROOT, SamplingParameters.GREEDY, 1, 3, Set.of(9), -1, 0);
    }

    private void assertInvalid(GenerationRequest request, String message) {
        assertRefused(engine, request, Kind.INVALID_ARGUMENT, message);
    }

    private static void assertRefused(TestingEngine engine, GenerationRequest request, Kind kind, String message) {
        EngineException failure = engine.generate(request).failure();
        assertThat(failure).hasMessageStartingWith(message);
        assertThat(failure.kind()).isEqualTo(kind);
        engine.assertIdle();
    }

    @Test
    void aFullWaitingQueueRefuses() {
        TestingEngine single = new TestingEngine(16, Requests.options(32, 1, 2));
        List<TestingGeneration> listeners = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            TestingGeneration listener = new TestingGeneration(Requests.greedy("request " + i, tokens(3), 1));
            listeners.add(listener);
            single.submitLocally(listener);
        }
        single.turns(10);
        assertThat(listeners.get(3).failure())
                .hasMessage("2 requests wait already, the limit; retry later or raise max-waiting");
        assertThat(listeners.subList(0, 3)).allMatch(listener -> listener.tokenIds(0).length == 1);
        single.assertIdle();
    }

    @Test
    void theLoadSaysWhatWaitsRunsAndCosts() {
        assertThat(engine.engine.load()).isEqualTo(new EngineLoad(0, 0, 0, 16, 16, 0, 0, 0, 0));
        TestingGeneration running = new TestingGeneration(Requests.greedy("a", tokens(3), 30));
        engine.submitLocally(running);
        engine.turns(3);
        TestingPrefill first = new TestingPrefill(Requests.prefill("b", tokens(70)));
        TestingPrefill second = new TestingPrefill(Requests.prefill("c", tokens(50)));
        engine.submit(first);
        engine.submit(second);
        engine.turn();
        EngineLoad load = engine.engine.load();
        assertThat(load.runningSequences()).isEqualTo(1);
        assertThat(load.waitingSequences()).isEqualTo(2);
        assertThat(load.queuedPrefillTokens()).isEqualTo(70 - 32 + 50);
        assertThat(load.prefillTokensPerSecond()).isPositive();
        assertThat(load.decodeStepMicros()).isPositive();
        assertThat(load.freeBlocks() + load.cachedBlocks() + load.usedBlocks()).isEqualTo(16);
    }

    @Test
    void watchersHearWhatIsCachedThenEachChange() {
        engine.generate(Requests.greedy("a", tokens(33), 1));
        List<BlockHash> chain = BlockChain.of(Requests.ROOT, tokens(64), Requests.BLOCK_TOKENS);
        List<String> heard = new ArrayList<>();
        CacheListener listener = new CacheListener() {
            @Override
            public void stored(List<BlockKey> blocks) {
                heard.add("+" + blocks);
            }

            @Override
            public void removed(List<BlockKey> blocks) {
                heard.add("-" + blocks);
            }
        };
        engine.engine.watchCache(listener);
        engine.turn();
        engine.generate(Requests.greedy("b", tokens(64), 1));
        engine.engine.unwatchCache(listener);
        engine.turn();
        engine.generate(Requests.greedy("c", tokens(96), 1));
        assertThat(heard)
                .containsExactly(
                        "+" + List.of(chain.get(0).key(), chain.get(1).key()),
                        "+" + List.of(chain.get(2).key(), chain.get(3).key()));
    }
}

package io.baton.engine.schedule;

import static io.baton.engine.schedule.TestingEngine.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationRequest;
import io.baton.engine.KvUnits;
import io.baton.engine.PrefillHandle;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillRequest;
import io.baton.engine.PrefillTimes;
import io.baton.engine.sample.SamplingParameters;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Prompts computed for another node. */
class EngineSchedulerPrefillTest {

    private final TestingEngine engine = new TestingEngine(16, Requests.options(32, 4, 4));

    @Test
    void aPrefillReportsItsQueueItsLayersAndItsHiddenState() {
        TestingPrefill first = new TestingPrefill(Requests.prefill("first", tokens(70)));
        TestingPrefill second = new TestingPrefill(Requests.prefill("second", tokens(71)));
        PrefillHandle firstHandle = engine.submit(first);
        PrefillHandle secondHandle = engine.submit(second);
        engine.turn();
        assertThat(first.started).isCompletedWithValue(0);
        assertThat(second.ahead).containsExactly(1);
        engine.turns(10);
        assertThat(first.hidden()).isEqualTo(TestingModel.compute(tokens(70)).hidden());
        assertThat(second.hidden()).isEqualTo(TestingModel.compute(tokens(71)).hidden());
        assertThat(second.started)
                .as("it started when the first was almost done, and found its blocks")
                .isCompletedWithValue(4);
        first.readAll();
        assertThat(engine.engine.load().usedBlocks()).isPositive();
        firstHandle.release();
        secondHandle.release();
        engine.turn();
        engine.assertIdle();
    }

    @Test
    void blocksThatOthersComputeMeanwhileAreAnnouncedAndNotComputedAgain() {
        TestingGeneration urgent = new TestingGeneration(new GenerationRequest(
                "urgent", tokens(60), Requests.NONE, Requests.ROOT, SamplingParameters.GREEDY, 1, 1, Set.of(), -1, 9));
        GenerationHandle handle = engine.submit(urgent);
        TestingGeneration other = new TestingGeneration(Requests.greedy("other", new int[16], 1));
        engine.submitLocally(other);
        engine.turn();
        TestingPrefill prefill = new TestingPrefill(Requests.prefill("p", tokens(60)));
        PrefillHandle reading = engine.submit(prefill);
        engine.turn();
        assertThat(prefill.layerEnds).as("half of the chunk was left for it").containsOnly(16);
        handle.prefillLocally();
        engine.turns(2);
        assertThat(prefill.done()).containsExactly(16, 48, 60);
        assertThat(prefill.hidden()).isEqualTo(TestingModel.compute(tokens(60)).hidden());
        reading.release();
        engine.runUntilEnded(urgent);
        engine.assertIdle();
    }

    @Test
    void unitsOfACancelledPrefillStayReadableUntilReleased() {
        TestingPrefill prefill = new TestingPrefill(Requests.prefill("a", tokens(90)));
        PrefillHandle handle = engine.submit(prefill);
        engine.turn();
        handle.cancel(Kind.CANCELLED, "enough");
        engine.turn();
        assertThat(prefill.failure()).hasMessage("enough");
        TestingGeneration other = engine.generate(Requests.greedy("other", tokens(30), 30));
        assertThat(other.reason()).isNotNull();
        prefill.readAll();
        assertThat(prefill.layerEnds[0]).as("it stopped within one chunk").isEqualTo(32);
        handle.release();
        handle.release();
        engine.turn();
        engine.assertIdle();
    }

    @Test
    void aPrefillListenerThatThrowsInsideThePassEndsOnlyItsSequence() {
        TestingGeneration healthy = new TestingGeneration(Requests.greedy("healthy", tokens(5), 10));
        engine.submitLocally(healthy);
        PrefillRequest request = Requests.prefill("throwing", tokens(20));
        List<EngineException> failures = new ArrayList<>();
        PrefillListener throwing = new PrefillListener() {
            @Override
            public void queued(int requestsAhead) {}

            @Override
            public void started(int cachedBlocks, KvUnits units) {}

            @Override
            public void layerFinished(int layer, int firstToken, int endToken) {
                throw new IllegalStateException("out of cheese");
            }

            @Override
            public void chunkFinished(int tokensDone) {}

            @Override
            public void finished(float[] hidden, PrefillTimes times) {}

            @Override
            public void failed(EngineException cause) {
                failures.add(cause);
            }
        };
        PrefillHandle handle = engine.engine.prefill(request, throwing);
        engine.runUntilEnded(healthy);
        assertThat(failures).hasSize(1).first().asString().contains("out of cheese");
        assertThat(healthy.tokens(0))
                .isEqualTo(TestingModel.answer(healthy.request, 0).tokens());
        handle.release();
        engine.assertIdle();
    }
}

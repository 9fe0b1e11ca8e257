package io.baton.engine.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.EngineOptions;
import io.baton.engine.FillLease;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationRequest;
import io.baton.engine.KvUnits;
import io.baton.engine.PrefillHandle;
import io.baton.kv.CacheCounts;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/** An engine over {@link TestingModel} whose turns the test makes itself; audited after each. */
final class TestingEngine {

    private static final int TURNS = 500;

    final TestingModelRunner runner;
    final EngineScheduler engine;
    private long clock;

    TestingEngine(int blocks, EngineOptions options) {
        runner = new TestingModelRunner(blocks, Requests.BLOCK_TOKENS, EngineScheduler.maxRows(options));
        engine = EngineScheduler.stepwise(TestingModel.SHAPE, options, runner, () -> clock += 1_000_000);
    }

    long clock() {
        return clock;
    }

    void turn() {
        engine.turn(0);
        new ScheduleAudit(engine.schedule()).run();
    }

    void turns(int count) {
        IntStream.range(0, count).forEach(turn -> turn());
    }

    GenerationHandle submit(TestingGeneration listener) {
        return engine.generate(listener.request, listener);
    }

    /** Prefills here as soon as it is admitted. */
    GenerationHandle submitLocally(TestingGeneration listener) {
        GenerationHandle handle = submit(listener);
        listener.whenAdmitted(handle::prefillLocally);
        return handle;
    }

    PrefillHandle submit(TestingPrefill listener) {
        return engine.prefill(listener.request, listener);
    }

    /** Prefills here and runs to the end. */
    TestingGeneration generate(GenerationRequest request) {
        return generate(new TestingGeneration(request));
    }

    TestingGeneration generate(TestingGeneration listener) {
        submitLocally(listener);
        runUntilEnded(listener);
        return listener;
    }

    void runUntilEnded(TestingGeneration listener) {
        for (int turn = 0; !listener.ended.isDone(); turn++) {
            assertThat(turn)
                    .as("turns until %s ended", listener.request.owner())
                    .isLessThan(TURNS);
            turn();
        }
    }

    CacheCounts counts() {
        return engine.schedule().cache.counts();
    }

    /** Nothing runs, nothing is held. */
    void assertIdle() {
        turn();
        assertThat(engine.schedule().hasWork()).isFalse();
        assertThat(counts().inUse()).isZero();
        assertThat(counts().committed()).isZero();
    }

    /** Distinct enough that no two prefixes of different tokens are equal. */
    static int[] tokens(int count) {
        return IntStream.range(0, count).map(i -> (i * 7 + i / 5) % 38).toArray();
    }

    /** Writes what a prefill node would have sent of {@code tokens}. */
    static void write(FillLease lease, int[] tokens, int from, int to) {
        KvUnits units = lease.units();
        long[][] kv = TestingModel.compute(tokens).kv();
        for (int layer = 0; layer < units.layers(); layer++) {
            for (int position = from; position < to; position++) {
                units.unit(layer, position / Requests.BLOCK_TOKENS)
                        .setAtIndex(ValueLayout.JAVA_LONG, position % Requests.BLOCK_TOKENS, kv[layer][position]);
            }
        }
    }
}

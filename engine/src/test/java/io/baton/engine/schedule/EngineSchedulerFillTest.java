package io.baton.engine.schedule;

import static io.baton.engine.schedule.TestingEngine.tokens;
import static io.baton.engine.schedule.TestingEngine.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.FillLease;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationRequest;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Sequences whose blocks are filled from outside. */
class EngineSchedulerFillTest {

    private final TestingEngine engine = new TestingEngine(16, Requests.options(32, 4, 4));

    @Test
    void blocksFilledFromOutsideGiveTheSameAnswer() {
        GenerationRequest request = Requests.greedy("a", tokens(37), 6);
        TestingGeneration listener = new TestingGeneration(request);
        GenerationHandle handle = engine.submit(listener);
        engine.turn();
        CompletableFuture<FillLease> lease = handle.takeBlocks();
        engine.turn();
        write(lease.join(), request.promptTokens(), 0, 37);
        lease.join().activate(TestingModel.compute(request.promptTokens()).hidden());
        lease.join().close();
        engine.runUntilEnded(listener);
        assertThat(listener.tokens(0)).isEqualTo(TestingModel.answer(request, 0).tokens());
        assertThat(listener.prefilled).isEmpty();
        assertThat(engine.generate(Requests.greedy("b", tokens(37), 1)).admitted)
                .isCompletedWithValue(32);
        engine.assertIdle();
    }

    @Test
    void aBrokenFillIsFinishedLocallyFromWhatWasVerified() {
        GenerationRequest request = Requests.greedy("a", tokens(48), 6);
        TestingGeneration listener = new TestingGeneration(request);
        GenerationHandle handle = engine.submit(listener);
        engine.turn();
        CompletableFuture<FillLease> lease = handle.takeBlocks();
        engine.turn();
        write(lease.join(), request.promptTokens(), 0, 20);
        lease.join().verified(1);
        lease.join().close();
        handle.prefillLocally();
        engine.runUntilEnded(listener);
        assertThat(listener.prefilled).containsExactly(48);
        assertThat(listener.tokens(0)).isEqualTo(TestingModel.answer(request, 0).tokens());
        engine.assertIdle();
    }

    @Test
    void nothingOfABrokenFillStaysBehind() {
        TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(40), 6));
        GenerationHandle handle = engine.submit(listener);
        engine.turn();
        CompletableFuture<FillLease> lease = handle.takeBlocks();
        engine.turn();
        for (int block = 0; block < lease.join().units().blocks(); block++) {
            lease.join().units().unit(1, block).fill((byte) 0x77);
        }
        lease.join().close();
        handle.prefillLocally();
        engine.runUntilEnded(listener);
        assertThat(listener.tokens(0))
                .isEqualTo(TestingModel.answer(listener.request, 0).tokens());
    }

    @Test
    void whatIsSaidOfGivenUpBlocksIsIgnored() {
        TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(40), 6));
        GenerationHandle handle = engine.submit(listener);
        engine.turn();
        CompletableFuture<FillLease> lease = handle.takeBlocks();
        engine.turn();
        lease.join().close();
        lease.join().verified(2);
        lease.join().activate(new float[TestingModel.DIM]);
        handle.prefillLocally();
        engine.runUntilEnded(listener);
        assertThat(listener.prefilled).containsExactly(32, 40);
        assertThat(listener.tokens(0))
                .isEqualTo(TestingModel.answer(listener.request, 0).tokens());
        engine.assertIdle();
    }

    @Test
    void aHiddenStateThatCannotBeIsRefused() {
        for (float[] hidden : new float[][] {{1, 2, Float.NaN, 4}, {1, 2, 3}}) {
            TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(20), 6));
            GenerationHandle handle = engine.submit(listener);
            engine.turn();
            CompletableFuture<FillLease> lease = handle.takeBlocks();
            engine.turn();
            lease.join().activate(hidden);
            engine.runUntilEnded(listener);
            assertThat(listener.failure()).hasMessageContaining(hidden.length == 4 ? "not finite" : "of 3 values");
            engine.assertIdle();
        }
    }

    @Test
    void blocksAreHeldUntilTheLeaseClosesEvenIfTheSequenceIsCancelled() {
        TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(37), 6));
        GenerationHandle handle = engine.submit(listener);
        engine.turn();
        CompletableFuture<FillLease> lease = handle.takeBlocks();
        engine.turn();
        handle.cancel(Kind.DEADLINE_EXCEEDED, "too late");
        engine.turn();
        assertThat(listener.failure()).hasMessage("too late");
        assertThat(engine.engine.load().usedBlocks()).isEqualTo(3);
        assertThat(handle.takeBlocks()).isNotDone();
        engine.turn();
        lease.join().close();
        engine.turn();
        engine.assertIdle();
    }

    @Test
    void takingBlocksOfAnEndedSequenceFails() {
        TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(37), 6));
        GenerationHandle handle = engine.submit(listener);
        handle.cancel(Kind.CANCELLED, "gone");
        engine.turn();
        CompletableFuture<FillLease> lease = handle.takeBlocks();
        engine.turn();
        assertThat(lease).isCompletedExceptionally();
        assertThatThrownBy(lease::join)
                .hasCauseInstanceOf(EngineException.class)
                .hasMessageContaining("gone");
    }
}

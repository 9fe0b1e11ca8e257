package io.baton.engine.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.FillLease;
import io.baton.engine.FinishReason;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationRequest;
import io.baton.engine.GenerationRequest.Answer;
import io.baton.engine.PrefillHandle;
import io.baton.kv.CacheCounts;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random requests, cancellations, fills and releases on engines with tiny pools, turn by turn: after each turn every
 * invariant holds and every announced unit has the right content, and in the end every answer is the model's.
 */
class SchedulerRandomOperationsTest {

    private static final int TURNS = 1500;
    private static final int DRAIN_TURNS = 20_000;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void everyAnswerIsTheModelsAndNothingLeaks(long seed) {
        Run run = new Run(seed);
        for (int turn = 0; turn < TURNS; turn++) {
            run.operate();
            run.turn();
        }
        run.drain();
        assertThat(run.answered).as("answers compared").isGreaterThan(20);
        assertThat(run.prefilled).as("prefills compared").isGreaterThan(10);
    }

    private static final class Live {
        final TestingGeneration listener;
        final GenerationHandle handle;
        boolean decided;
        boolean cancelled;

        @Nullable
        CompletableFuture<FillLease> lease;

        int written;

        Live(TestingGeneration listener, GenerationHandle handle) {
            this.listener = listener;
            this.handle = handle;
        }
    }

    private record LivePrefill(TestingPrefill listener, PrefillHandle handle) {}

    private static final class Run {
        private final Random random;
        private final EngineScheduler engine;
        private final int poolBlocks;
        private final int maxSequences;
        private final List<Live> generations = new ArrayList<>();
        private final List<LivePrefill> prefills = new ArrayList<>();
        private int names;
        private int answered;
        private int prefilled;

        Run(long seed) {
            random = new Random(seed);
            poolBlocks = 6 + random.nextInt(24);
            maxSequences = 1 + random.nextInt(6);
            var options = Requests.options(1 + random.nextInt(40), maxSequences, 1 + random.nextInt(6));
            var runner = new TestingModelRunner(poolBlocks, Requests.BLOCK_TOKENS, EngineScheduler.maxRows(options));
            long[] clock = {0};
            engine = EngineScheduler.stepwise(TestingModel.SHAPE, options, runner, () -> clock[0] += 1000);
        }

        void turn() {
            engine.turn(0);
            new ScheduleAudit(engine.schedule()).run();
            prefills.forEach(prefill -> prefill.listener.readAll());
            generations.removeIf(this::settled);
        }

        void operate() {
            switch (random.nextInt(6)) {
                case 0 -> generate();
                case 1 -> prefill();
                case 2 -> cancelSomething();
                default -> {}
            }
            generations.forEach(this::advance);
            prefills.removeIf(prefill -> random.nextInt(5) == 0 && settled(prefill));
        }

        private void generate() {
            GenerationRequest request =
                    Requests.generation(random, "generation " + names++, 70, 30, Math.min(3, maxSequences));
            if (request.choices() == 1 && random.nextInt(3) == 0) {
                int[] whole = whole(request, request.answers().getFirst());
                request = Requests.resumed(request, Arrays.copyOf(whole, random.nextInt(whole.length + 1)));
            } else if (random.nextInt(3) == 0) {
                List<Answer> begun = new ArrayList<>();
                for (Answer answer : request.answers()) {
                    int[] whole = whole(request, answer);
                    int known = random.nextInt(Math.max(1, whole.length)); // never all: those are left out
                    begun.add(new Answer(answer.choice(), Arrays.copyOf(whole, known)));
                }
                request = Requests.resumed(request, begun);
            }
            TestingGeneration listener = new TestingGeneration(request);
            generations.add(new Live(listener, engine.generate(request, listener)));
        }

        private static int[] whole(GenerationRequest request, Answer answer) {
            return TestingModel.answer(request, answer.choice()).tokens().stream()
                    .mapToInt(token -> token.tokenId())
                    .toArray();
        }

        private void prefill() {
            TestingPrefill listener =
                    new TestingPrefill(Requests.prefill("prefill " + names++, Requests.prompt(random, 70)));
            prefills.add(new LivePrefill(listener, engine.prefill(listener.request, listener)));
        }

        private void cancelSomething() {
            if (!generations.isEmpty() && random.nextInt(4) == 0) {
                Live live = generations.get(random.nextInt(generations.size()));
                live.cancelled = true;
                live.handle.cancel(Kind.CANCELLED, "the test cancels");
            }
            if (!prefills.isEmpty() && random.nextInt(8) == 0) {
                LivePrefill prefill = prefills.get(random.nextInt(prefills.size()));
                prefill.handle.cancel(Kind.CANCELLED, "the test cancels");
            }
        }

        /** Answers an admission, or goes on filling. */
        private void advance(Live live) {
            if (!live.listener.admitted.isDone()) {
                return;
            }
            CompletableFuture<FillLease> lease = live.lease;
            if (!live.decided && random.nextInt(3) == 0) {
                live.decided = true;
                if (random.nextBoolean()) {
                    live.handle.prefillLocally();
                } else {
                    live.lease = live.handle.takeBlocks();
                    live.written = live.listener.admitted.join();
                }
            } else if (lease != null && lease.isDone()) {
                if (lease.isCompletedExceptionally()) {
                    live.lease = null;
                } else {
                    fill(live, lease.join());
                }
            }
        }

        private void fill(Live live, FillLease lease) {
            GenerationRequest request = live.listener.request;
            int[] sequence = Arrays.copyOf(
                    request.promptTokens(), request.promptTokens().length + request.emittedTokens().length);
            System.arraycopy(
                    request.emittedTokens(),
                    0,
                    sequence,
                    request.promptTokens().length,
                    request.emittedTokens().length);
            TestingModel.Computed computed = TestingModel.compute(sequence);
            int end = Math.min(sequence.length, live.written + random.nextInt(20));
            for (int layer = 0; layer < TestingModel.LAYERS; layer++) {
                for (int position = live.written; position < end; position++) {
                    lease.units()
                            .unit(layer, position / Requests.BLOCK_TOKENS)
                            .setAtIndex(
                                    ValueLayout.JAVA_LONG,
                                    position % Requests.BLOCK_TOKENS,
                                    computed.kv()[layer][position]);
                }
            }
            live.written = end;
            if (random.nextInt(3) == 0) {
                lease.verified(live.written / Requests.BLOCK_TOKENS);
            }
            if (random.nextInt(12) == 0) {
                lease.close();
                lease.verified(lease.units().blocks()); // too late, and not true
                live.lease = null;
                live.decided = false;
            } else if (live.written == sequence.length) {
                lease.activate(computed.hidden());
                live.lease = null;
            }
        }

        /** Compares what has ended; a lease that is still open keeps the request alive. */
        private boolean settled(Live live) {
            if (!live.listener.ended.isDone() || live.lease != null) {
                return false;
            }
            TestingGeneration.Ended how = live.listener.ended.join();
            GenerationRequest request = live.listener.request;
            IntStream known = IntStream.concat(
                    Arrays.stream(request.promptTokens()),
                    request.answers().stream().flatMapToInt(answer -> Arrays.stream(answer.emittedTokens())));
            if (known.anyMatch(token -> token == TestingModel.POISON)) {
                return true; // computed elsewhere, it would not have been finite there
            }
            boolean failed = false;
            for (Answer each : request.answers()) {
                int choice = each.choice();
                TestingModel.Answer answer = TestingModel.answer(request, choice);
                var found = live.listener.tokens.getOrDefault(choice, List.of());
                failed |= answer.end() == TestingModel.End.INTERNAL;
                if (how.failure() == null) {
                    assertThat(found)
                            .as("%s choice %d", request.owner(), choice)
                            .isEqualTo(answer.tokens());
                    assertThat(answer.end()).isNotEqualTo(TestingModel.End.INTERNAL);
                    if (request.maxTokens() > each.emittedTokens().length && !found.isEmpty()) {
                        assertThat(live.listener.finished.get(choice))
                                .isEqualTo(FinishReason.valueOf(answer.end().name()));
                    }
                    answered++;
                } else {
                    assertThat(found).isEqualTo(answer.tokens().subList(0, found.size()));
                }
            }
            if (how.failure() != null) {
                checkFailure(how.failure(), live.cancelled, failed);
            }
            return true;
        }

        private void checkFailure(EngineException failure, boolean cancelled, boolean notFinite) {
            switch (failure.kind()) {
                case CANCELLED -> assertThat(cancelled).isTrue();
                case INTERNAL -> assertThat(notFinite).as(failure.getMessage()).isTrue();
                case RESOURCE_EXHAUSTED ->
                    assertThat(failure.getMessage()).containsAnyOf("the whole pool has", "requests wait already");
                default -> throw new AssertionError("ended with " + failure.kind(), failure);
            }
        }

        private boolean settled(LivePrefill prefill) {
            if (prefill.listener.ended.isDone()) {
                float[] hidden = prefill.listener.ended.join().hidden();
                if (hidden != null) {
                    assertThat(hidden)
                            .isEqualTo(TestingModel.compute(prefill.listener.request.tokens())
                                    .hidden());
                    prefilled++;
                }
                prefill.handle.release();
                return true;
            }
            return false;
        }

        void drain() {
            int turns = 0;
            while (!generations.isEmpty() || !prefills.isEmpty()) {
                generations.forEach(this::advance);
                prefills.removeIf(this::settled);
                turn();
                assertThat(++turns).as("turns until everything has ended").isLessThan(DRAIN_TURNS);
            }
            engine.turn(0);
            new ScheduleAudit(engine.schedule()).run();
            CacheCounts counts = engine.schedule().cache.counts();
            assertThat(counts.inUse()).isZero();
            assertThat(counts.committed()).isZero();
            assertThat(engine.schedule().hasWork()).isFalse();
        }
    }
}

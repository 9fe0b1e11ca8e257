package io.baton.engine.schedule;

import static io.baton.engine.schedule.TestingEngine.tokens;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.EngineException.Kind;
import io.baton.engine.EngineLoad;
import io.baton.engine.EngineOptions;
import io.baton.engine.FillLease;
import io.baton.engine.GeneratedToken;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationRequest;
import io.baton.engine.PrefillHandle;
import io.baton.kv.SequenceFingerprint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The engine on its own thread, used from many. */
@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineSchedulerThreadTest {

    private static final SequenceFingerprint FINGERPRINT =
            new SequenceFingerprint(new byte[32], "", "hashes", 1, "testing", 16, "", "", new byte[32]);

    private EngineScheduler engine = start(40, Requests.options(32, 8, 100), Duration.ofSeconds(20));

    private static EngineScheduler start(int blocks, EngineOptions options, Duration patience) {
        int maxRows = EngineScheduler.maxRows(options);
        return start(options, new TestingModelRunner(blocks, Requests.BLOCK_TOKENS, maxRows), patience);
    }

    private static EngineScheduler start(EngineOptions options, ModelRunner runner, Duration patience) {
        return EngineScheduler.start(
                "test", TestingModel.SHAPE, FINGERPRINT, options, runner, System::nanoTime, patience);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void sixtyFourClientsGetTheAnswerTheyGetAlone() throws Exception {
        List<Future<?>> clients = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int client = 0; client < 64; client++) {
                Random random = new Random(client);
                String owner = "client " + client;
                clients.add(threads.submit(() -> {
                    for (int i = 0; i < 5; i++) {
                        GenerationRequest request = Requests.generation(random, owner, 60, 20, 2);
                        TestingGeneration listener = new TestingGeneration(request);
                        GenerationHandle handle = engine.generate(request, listener);
                        decide(handle, listener, random);
                        listener.ended.join();
                        compare(listener);
                    }
                    return null;
                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
        }
        engine.checkInvariants();
        EngineLoad load = engine.load();
        assertThat(load.usedBlocks()).isZero();
        assertThat(load.runningSequences() + load.waitingSequences()).isZero();
    }

    private static void decide(GenerationHandle handle, TestingGeneration listener, Random random) {
        CompletableFuture.anyOf(listener.admitted, listener.ended).join();
        if (listener.ended.isDone()) {
            return;
        }
        if (random.nextBoolean()) {
            handle.prefillLocally();
            return;
        }
        int[] prompt = listener.request.promptTokens();
        try (FillLease lease = handle.takeBlocks().join()) {
            TestingEngine.write(lease, prompt, listener.admitted.join(), prompt.length);
            lease.activate(TestingModel.compute(prompt).hidden());
        }
    }

    private static void compare(TestingGeneration listener) {
        GenerationRequest request = listener.request;
        boolean bad = Arrays.stream(request.promptTokens()).anyMatch(token -> token == TestingModel.POISON);
        for (int i = 0; i < request.choices() && !bad; i++) {
            int choice = request.answers().get(i).choice();
            TestingModel.Answer answer = TestingModel.answer(request, choice);
            List<GeneratedToken> found = listener.tokens(choice);
            if (listener.ended.join().failure() == null) {
                assertThat(found).isEqualTo(answer.tokens());
            } else {
                assertThat(listener.failure().kind()).isEqualTo(Kind.INTERNAL);
                assertThat(found).isEqualTo(answer.tokens().subList(0, found.size()));
            }
        }
    }

    @Test
    void theThreadIsNamedAndSleepsWhenThereIsNothingToDo() {
        TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(5), 5));
        GenerationHandle handle = engine.generate(listener.request, listener);
        listener.whenAdmitted(handle::prefillLocally);
        listener.ended.join();
        Thread thread = Thread.getAllStackTraces().keySet().stream()
                .filter(each -> each.getName().equals("baton-engine-test"))
                .findFirst()
                .orElseThrow();
        while (thread.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
        assertThat(thread.getState()).isEqualTo(Thread.State.TIMED_WAITING);
    }

    @Test
    void closingEndsEverythingWithUnavailable() {
        TestingGeneration waitingForCaller = new TestingGeneration(Requests.greedy("undecided", tokens(30), 5));
        engine.generate(waitingForCaller.request, waitingForCaller);
        waitingForCaller.admitted.join();
        TestingGeneration endless = new TestingGeneration(Requests.greedy("running", tokens(9), 180));
        GenerationHandle running = engine.generate(endless.request, endless);
        endless.whenAdmitted(running::prefillLocally);
        engine.close();
        assertThat(waitingForCaller.failure().kind()).isEqualTo(Kind.UNAVAILABLE);
        assertThat(endless.ended).isDone();

        TestingGeneration late = new TestingGeneration(Requests.greedy("late", tokens(5), 5));
        GenerationHandle refused = engine.generate(late.request, late);
        assertThat(late.failure().kind()).isEqualTo(Kind.UNAVAILABLE);
        assertThat(refused.takeBlocks()).isCompletedExceptionally();
        refused.cancel(Kind.CANCELLED, "no matter");
        TestingPrefill latePrefill = new TestingPrefill(Requests.prefill("late", tokens(5)));
        engine.prefill(latePrefill.request, latePrefill).release();
        assertThat(latePrefill.failure().kind()).isEqualTo(Kind.UNAVAILABLE);
        assertThatThrownBy(engine::checkInvariants).hasMessage("the engine is closed");
    }

    @Test
    void closingWaitsForThoseWhoStillWriteOrRead() throws Exception {
        TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(30), 5));
        GenerationHandle handle = engine.generate(listener.request, listener);
        listener.admitted.join();
        FillLease lease = handle.takeBlocks().join();
        TestingPrefill prefill = new TestingPrefill(Requests.prefill("p", tokens(60)));
        PrefillHandle reading = engine.prefill(prefill.request, prefill);
        prefill.ended.join();
        CompletableFuture<Void> closed = CompletableFuture.runAsync(engine::close);
        listener.ended.join();
        TestingEngine.write(lease, tokens(30), 0, 30);
        prefill.readAll();
        assertThat(closed).isNotDone();
        lease.close();
        reading.release();
        closed.get();
    }

    @Test
    void closingDoesNotWaitForever() {
        EngineScheduler impatient = start(40, Requests.options(32, 8, 100), Duration.ofMillis(50));
        TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(30), 5));
        GenerationHandle handle = impatient.generate(listener.request, listener);
        listener.admitted.join();
        FillLease lease = handle.takeBlocks().join();
        impatient.close();
        assertThatThrownBy(() -> TestingEngine.write(lease, tokens(30), 0, 30))
                .as("memory that is gone is not written")
                .isInstanceOf(IllegalStateException.class);
        lease.close();
    }

    @Test
    void aListenerMayCloseTheEngine() throws InterruptedException {
        CountDownLatch returned = new CountDownLatch(1);
        TestingGeneration listener = new TestingGeneration(Requests.greedy("a", tokens(5), 5)) {
            @Override
            public boolean token(GeneratedToken token) {
                engine.close();
                engine.checkInvariants();
                returned.countDown();
                return super.token(token);
            }
        };
        GenerationHandle handle = engine.generate(listener.request, listener);
        listener.whenAdmitted(handle::prefillLocally);
        returned.await();
        assertThat(listener.ended.join().failure()).isNotNull();
    }

    @Test
    void aDefectOfTheSchedulerEndsEverythingWithInternal() {
        engine.close();
        EngineOptions options = Requests.options(32, 8, 100);
        TestingModelRunner runner = new TestingModelRunner(40, Requests.BLOCK_TOKENS, EngineScheduler.maxRows(options));
        engine = start(options, runner, Duration.ofSeconds(20));
        TestingGeneration waiting = new TestingGeneration(Requests.greedy("undecided", tokens(30), 5));
        engine.generate(waiting.request, waiting);
        waiting.admitted.join();
        runner.zeroFails = true;
        TestingGeneration running = new TestingGeneration(Requests.greedy("running", tokens(5), 5));
        GenerationHandle handle = engine.generate(running.request, running);
        running.whenAdmitted(handle::prefillLocally);
        running.ended.join();
        waiting.ended.join();
        assertThat(running.failure()).hasMessageContaining("the engine's scheduler failed");
        assertThat(waiting.failure().kind()).isEqualTo(Kind.INTERNAL);
        TestingGeneration late = new TestingGeneration(Requests.greedy("late", tokens(5), 5));
        engine.generate(late.request, late);
        assertThat(late.failure().kind()).isEqualTo(Kind.UNAVAILABLE);
    }

    @Test
    void cancellationsFromOtherThreadsEndEveryRequestOnce() {
        List<TestingGeneration> listeners = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            IntStream.range(0, 200).forEach(i -> {
                TestingGeneration listener =
                        new TestingGeneration(Requests.greedy("request " + i, tokens(1 + i % 50), 30));
                listeners.add(listener);
                GenerationHandle handle = engine.generate(listener.request, listener);
                listener.whenAdmitted(handle::prefillLocally);
                threads.execute(() -> handle.cancel(Kind.CANCELLED, "changed my mind"));
                threads.execute(() -> handle.cancel(Kind.DEADLINE_EXCEEDED, "too late"));
            });
        }
        listeners.forEach(listener -> listener.ended.join());
        engine.checkInvariants();
        assertThat(engine.load().usedBlocks()).isZero();
    }
}

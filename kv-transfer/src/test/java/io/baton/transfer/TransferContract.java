package io.baton.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.kv.BlockHash;
import io.baton.proto.v1.FetchRequest;
import io.baton.proto.v1.PrefillStart;
import io.baton.testing.ManualScheduler;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a transfer promises over any transport. */
@Timeout(60)
abstract class TransferContract {

    private static final Duration BOUND = Duration.ofSeconds(20);

    private final Random random = new Random(42);
    private final Timing timing = Timing.ofSystem("transfer-timing");
    private final ExecutorService senders = Executors.newFixedThreadPool(2);
    private final ExecutorService computing = Executors.newCachedThreadPool();
    private final TestingPrefill prefill = new TestingPrefill(senders, timing);
    private Server server;
    private ManagedChannel channel;

    abstract Server serve(TestingPrefill prefill) throws Exception;

    abstract ManagedChannel connect(Server server);

    @BeforeEach
    void start() throws Exception {
        server = serve(prefill);
        channel = connect(server);
    }

    @AfterEach
    void stop() throws Exception {
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        computing.shutdownNow();
        senders.shutdown();
        timing.scheduler().shutdownNow();
    }

    /** One side of a transfer: what the decode node would hold. */
    private static final class Receiving implements ReceiveListener {

        final CompletableFuture<ReceiveOutcome> outcome = new CompletableFuture<>();
        final CompletableFuture<ProgressReport> reported = new CompletableFuture<>();
        final CompletableFuture<Boolean> computing = new CompletableFuture<>();
        final List<Integer> whole = new ArrayList<>();

        @Override
        public void progress(ProgressReport report) {
            reported.complete(report);
            if (report.phase() != ProgressReport.Phase.QUEUED) {
                computing.complete(true);
            }
        }

        @Override
        public void verified(int wholeBlocks) {
            whole.add(wholeBlocks);
        }

        @Override
        public void ended(ReceiveOutcome told) {
            if (!outcome.complete(told)) {
                throw new IllegalStateException("ended twice");
            }
        }

        /** Runs {@code grant} when the sender computes. */
        void granting(Runnable grant) {
            computing.thenRun(grant).exceptionally(failure -> {
                throw new AssertionError(failure);
            });
        }

        ReceiveOutcome await() throws Exception {
            return outcome.get(BOUND.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private KvReceiver open(
            TransferShape shape, VerifiedBlocks held, int hiddenSize, Receiving receiving, UnitTarget target) {
        ReceivePlan plan = TestingFrames.receivePlan(shape, held, hiddenSize);
        KvReceiver receiver =
                KvReceiver.prefill(channel, CallOptions.DEFAULT, PrefillStart.newBuilder(), plan, receiving, timing);
        receiving.granting(() -> receiver.grant(target));
        return receiver;
    }

    /** Announces a prefill in chunks of random length, layer by layer, as an engine does. */
    private void compute(
            KvSender sender, TransferShape shape, int cachedBlocks, UnitSource units, float[] hidden, Random seeded) {
        sender.queued(1);
        sender.started(cachedBlocks, units);
        int done = cachedBlocks * shape.blockTokens();
        while (done < shape.tokens()) {
            int end = Math.min(shape.tokens(), done + 1 + seeded.nextInt(3 * shape.blockTokens()));
            for (int layer = 0; layer < shape.layers(); layer++) {
                sender.layerReady(layer, done, end);
            }
            done = end;
            sender.tokensDone(done);
        }
        sender.finished(hidden, SenderTimes.NONE);
    }

    private TransferShape randomShape() {
        int blockTokens = 1 << (2 + random.nextInt(4));
        long unitBytes = random.nextInt(4) == 0 ? 700_000 : 1 + random.nextInt(40_000);
        return TransferShape.of(1 + random.nextInt(5), unitBytes, blockTokens, 1 + random.nextInt(6 * blockTokens));
    }

    private float[] randomHidden() {
        float[] hidden = new float[1 + random.nextInt(5000)];
        for (int i = 0; i < hidden.length; i++) {
            hidden[i] = random.nextFloat();
        }
        return hidden;
    }

    @Test
    void theReceiverHasTheSendersBytesWhateverShapeAndChunks() throws Exception {
        for (int round = 0; round < 25; round++) {
            TransferShape shape = randomShape();
            TestingBlocks source = TestingBlocks.random(shape, random);
            TestingBlocks target = TestingBlocks.zeroed(shape, random);
            float[] hidden = randomHidden();
            Receiving receiving = new Receiving();
            int cached = random.nextInt((shape.tokens() - 1) / shape.blockTokens() + 1);
            long seed = random.nextLong();
            prefill.script = sender ->
                    computing.execute(() -> compute(sender, shape, cached, source::unit, hidden, new Random(seed)));
            prefill.shape = shape;
            open(shape, VerifiedBlocks.whole(0, shape.layers()), hidden.length, receiving, target::unit);
            ReceiveOutcome outcome = receiving.await();
            assertThat(outcome).as("%s", shape).isInstanceOf(ReceiveOutcome.Complete.class);
            ReceiveOutcome.Complete complete = (ReceiveOutcome.Complete) outcome;
            assertThat(complete.hidden()).containsExactly(hidden);
            assertThat(complete.cachedTokens()).isEqualTo(cached * shape.blockTokens());
            assertThat(complete.received().bytes()).isEqualTo(shape.units() * shape.unitBytes());
            assertThat(target.equalTo(source)).isTrue();
            assertThat(target.canariesIntact()).isTrue();
            assertThat(receiving.whole).isSorted();
            assertThat(prefill.listener.ended.get(5, TimeUnit.SECONDS)).isEqualTo(Status.OK);
        }
    }

    @Test
    void anInterruptedTransferGoesOnFromWhatIsVerified() throws Exception {
        for (int round = 0; round < 15; round++) {
            TransferShape shape = TransferShape.of(3, 300_000, 4, 30);
            TestingBlocks source = TestingBlocks.random(shape, random);
            TestingBlocks target = TestingBlocks.zeroed(shape, random);
            float[] hidden = randomHidden();
            prefill.shape = shape;

            int stopAfter = random.nextInt(shape.tokens());
            prefill.script = sender -> computing.execute(() -> {
                sender.started(0, source::unit);
                for (int layer = 0; layer < shape.layers(); layer++) {
                    sender.layerReady(layer, 0, Math.min(shape.tokens(), stopAfter + 4 * (2 - layer)));
                }
                computing.execute(() -> sender.failed(Status.UNAVAILABLE.withDescription("going"), new Metadata()));
            });
            Receiving first = new Receiving();
            open(shape, VerifiedBlocks.whole(0, 3), hidden.length, first, target::unit);
            ReceiveOutcome.Failed failed = (ReceiveOutcome.Failed) first.await();
            assertThat(failed.reason()).isEqualTo(FailureReason.UNAVAILABLE);
            assertThat(failed.detail()).contains("going");
            assertThat(target.equalIn(source, failed.verified())).isTrue();

            long seed = random.nextLong();
            int cached = failed.verified().everyLayer() > shape.wholeBlocks()
                    ? shape.wholeBlocks()
                    : failed.verified().everyLayer();
            prefill.script = sender ->
                    computing.execute(() -> compute(sender, shape, cached, source::unit, hidden, new Random(seed)));
            Receiving second = new Receiving();
            open(shape, failed.verified(), hidden.length, second, target::unit);
            ReceiveOutcome.Complete complete = (ReceiveOutcome.Complete) second.await();
            assertThat(target.equalTo(source)).isTrue();
            assertThat(complete.received().units() + failed.received().units()).isEqualTo(shape.units());
        }
    }

    @Test
    void afterACancelAtAnyFrameNothingIsWrittenOnceTheEndIsToldAndBothSidesEnd() throws Exception {
        for (int round = 0; round < 30; round++) {
            TransferShape shape = TransferShape.of(4, 200_000, 4, 60);
            TestingBlocks source = TestingBlocks.random(shape, random);
            TestingBlocks target = TestingBlocks.zeroed(shape, random);
            prefill.shape = shape;
            prefill.script = sender ->
                    computing.execute(() -> compute(sender, shape, 0, source::unit, new float[8], new Random(1)));
            Receiving receiving = new Receiving();
            AtomicInteger writes = new AtomicInteger();
            int cancelAt = random.nextInt(shape.units() + 1);
            CountDownLatch reached = new CountDownLatch(1);
            AtomicInteger writesAfterEnd = new AtomicInteger();
            KvReceiver receiver = open(shape, VerifiedBlocks.whole(0, 4), 8, receiving, (layer, block) -> {
                if (receiving.outcome.isDone()) {
                    writesAfterEnd.incrementAndGet();
                }
                if (writes.getAndIncrement() == cancelAt) {
                    reached.countDown();
                }
                return target.unit(layer, block);
            });
            if (cancelAt < shape.units()) {
                assertThat(reached.await(10, TimeUnit.SECONDS)).isTrue();
            }
            receiver.cancel("changed its mind");
            ReceiveOutcome outcome = receiving.await();
            byte[] then = target.snapshot();
            Status status = prefill.listener.ended.get(10, TimeUnit.SECONDS);
            assertThat(target.snapshot()).isEqualTo(then);
            assertThat(writesAfterEnd).hasValue(0);
            assertThat(target.equalIn(source, outcome.verified())).isTrue();
            switch (outcome) {
                case ReceiveOutcome.Failed failed -> assertThat(failed.reason()).isEqualTo(FailureReason.CANCELLED);
                case ReceiveOutcome.Complete complete ->
                    assertThat(target.equalTo(source)).isTrue();
            }
            assertThat(status.getCode()).isIn(Status.Code.CANCELLED, Status.Code.OK);
            assertThat(prefill.listener.releases).hasValue(1);
        }
    }

    @Test
    void aRefusalKeepsItsReason() throws Exception {
        prefill.shape = TransferShape.of(1, 64, 4, 8);
        prefill.script = sender ->
                sender.failed(Status.UNAVAILABLE.withDescription("draining"), FailureReason.DRAINING.trailers());
        Receiving receiving = new Receiving();
        open(prefill.shape, VerifiedBlocks.whole(0, 1), 4, receiving, (layer, block) -> {
            throw new IllegalStateException("never asked");
        });
        assertThat(receiving.await()).isInstanceOfSatisfying(ReceiveOutcome.Failed.class, failed -> {
            assertThat(failed.reason()).isEqualTo(FailureReason.DRAINING);
            assertThat(failed.detail()).contains("draining");
        });
    }

    @Test
    void aPeerThatDiesIsUnavailableAtOnce() throws Exception {
        prefill.shape = TransferShape.of(1, 64, 4, 8);
        prefill.script = sender -> {};
        Receiving receiving = new Receiving();
        open(prefill.shape, VerifiedBlocks.whole(0, 1), 4, receiving, (layer, block) -> {
            throw new IllegalStateException("never asked");
        });
        prefill.opened.get(5, TimeUnit.SECONDS);
        server.shutdownNow();
        assertThat(receiving.await())
                .isInstanceOfSatisfying(
                        ReceiveOutcome.Failed.class,
                        failed -> assertThat(failed.reason()).isEqualTo(FailureReason.UNAVAILABLE));
        assertThat(prefill.listener.ended.get(5, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.CANCELLED);
    }

    @Test
    void aSilentPeerIsAbandonedAfterThePatience() throws Exception {
        ManualScheduler time = new ManualScheduler();
        prefill.shape = TransferShape.of(1, 64, 4, 8);
        prefill.timing = TestingFrames.timing(new ManualScheduler()); // its PROGRESS timer never fires
        prefill.script = sender -> {};
        Receiving receiving = new Receiving();
        ReceivePlan plan = new ReceivePlan(
                TestingFrames.HANDOFF,
                prefill.shape,
                TestingBlocks.hashes(prefill.shape),
                VerifiedBlocks.whole(0, 1),
                4,
                Duration.ofMillis(500),
                WireVersions.SUPPORTED);
        KvReceiver.prefill(
                channel, CallOptions.DEFAULT, PrefillStart.newBuilder(), plan, receiving, TestingFrames.timing(time));
        receiving.reported.get(5, TimeUnit.SECONDS); // the one PROGRESS frame that opens the stream
        time.advance(Duration.ofMillis(1_400));
        assertThat(receiving.outcome).isNotDone();
        time.advance(Duration.ofMillis(200));
        assertThat(receiving.await()).isInstanceOfSatisfying(ReceiveOutcome.Failed.class, failed -> {
            assertThat(failed.reason()).isEqualTo(FailureReason.STALLED);
            assertThat(failed.detail()).contains("no frame for 1500 ms");
        });
        assertThat(time.waiting()).isEmpty();
    }

    @Test
    void aDeadlineEndsBothSides() throws Exception {
        prefill.shape = TransferShape.of(1, 64, 4, 8);
        prefill.script = sender -> {};
        Receiving receiving = new Receiving();
        KvReceiver.prefill(
                channel,
                CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.SECONDS),
                PrefillStart.newBuilder(),
                TestingFrames.receivePlan(prefill.shape, VerifiedBlocks.whole(0, 1), 4),
                receiving,
                timing);
        assertThat(receiving.await())
                .isInstanceOfSatisfying(
                        ReceiveOutcome.Failed.class,
                        failed -> assertThat(failed.reason()).isEqualTo(FailureReason.DEADLINE));
        assertThat(prefill.listener.ended.get(5, TimeUnit.SECONDS).getCode()).isEqualTo(Status.Code.CANCELLED);
    }

    @Test
    void aFetchBringsTheBlocksThatAreCached() throws Exception {
        TransferShape shape = TransferShape.of(3, 50_000, 4, 24);
        TestingBlocks source = TestingBlocks.random(shape, random);
        TestingBlocks target = TestingBlocks.zeroed(shape, random);
        prefill.shape = shape;
        prefill.script = sender -> {
            sender.started(4, source::unit);
            sender.finished(new float[0], SenderTimes.NONE);
        };
        Receiving receiving = new Receiving();
        VerifiedBlocks held = VerifiedBlocks.whole(1, 3);
        KvReceiver.fetch(
                channel,
                CallOptions.DEFAULT,
                FetchRequest.newBuilder(),
                TestingFrames.receivePlan(shape, held, 0),
                target::unit,
                receiving,
                timing);
        ReceiveOutcome.Complete complete = (ReceiveOutcome.Complete) receiving.await();
        assertThat(complete.verified()).isEqualTo(VerifiedBlocks.whole(4, 3));
        assertThat(complete.received().units()).isEqualTo(9);
        target.copyHeld(source, held);
        assertThat(target.equalIn(source, complete.verified())).isTrue();
    }

    @Test
    void aFetchLeavesOutWholeBlocksOnly() {
        TransferShape shape = TransferShape.of(3, 50_000, 4, 24);
        ReceivePlan plan = TestingFrames.receivePlan(shape, new VerifiedBlocks(1, new int[] {0, 1, 0}), 0);
        assertThatThrownBy(() -> KvReceiver.fetch(
                        channel,
                        CallOptions.DEFAULT,
                        FetchRequest.newBuilder(),
                        plan,
                        TestingBlocks.zeroed(shape, random)::unit,
                        new Receiving(),
                        timing))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aCallOfAnotherSequenceCannotWriteHere() throws Exception {
        TransferShape shape = TransferShape.of(2, 1000, 4, 16);
        TestingBlocks source = TestingBlocks.random(shape, random);
        TestingBlocks target = TestingBlocks.zeroed(shape, random);
        byte[] before = target.snapshot();
        prefill.shape = shape;
        List<BlockHash> other = new ArrayList<>(TestingBlocks.hashes(shape));
        other.set(0, BlockHash.of(Arrays.copyOf(new byte[] {1}, 32)));
        prefill.hashes = other;
        prefill.script =
                sender -> computing.execute(() -> compute(sender, shape, 0, source::unit, new float[4], new Random(1)));
        Receiving receiving = new Receiving();
        open(shape, VerifiedBlocks.whole(0, 2), 4, receiving, target::unit);
        assertThat(receiving.await()).isInstanceOfSatisfying(ReceiveOutcome.Failed.class, failed -> {
            assertThat(failed.reason()).isEqualTo(FailureReason.CORRUPT);
            assertThat(failed.detail()).contains("another sequence");
        });
        assertThat(target.snapshot()).isEqualTo(before);
    }
}

package io.baton.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.proto.v1.FrameKind;
import io.baton.proto.v1.KvFrame;
import io.baton.proto.v1.PrefillPhase;
import io.baton.testing.ManualScheduler;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KvSenderTest {

    private static final TransferShape SHAPE = TransferShape.of(2, 64, 4, 10); // blocks of 4, 4 and 2 tokens

    private final TestingCall call = new TestingCall();
    private final ManualScheduler time = new ManualScheduler();
    private final TestingSendListener listener = new TestingSendListener();
    private final TestingBlocks blocks = TestingBlocks.random(SHAPE, new Random(3));

    private KvSender open(VerifiedBlocks held) {
        SendPlan plan =
                new SendPlan(TestingFrames.HANDOFF, SHAPE, TestingBlocks.hashes(SHAPE), held, 1, SendPlan.Kind.PREFILL);
        return KvSender.open(call, plan, Runnable::run, TestingFrames.timing(time), listener);
    }

    private List<String> sentUnits() {
        return call.parsed(FrameKind.FRAME_KIND_KV).stream()
                .map(f -> "layer %d blocks %d+%d".formatted(f.getLayer(), f.getFirstBlock(), f.getBlockCount()))
                .toList();
    }

    @Test
    void aUnitLeavesWhenItsLastTokenIsFinalAndOnlyThen() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.granted();
        sender.started(0, blocks::unit);
        sender.layerReady(0, 0, 3);
        assertThat(sentUnits()).isEmpty();
        sender.layerReady(0, 3, 7);
        assertThat(sentUnits()).containsExactly("layer 0 blocks 0+1");
        sender.layerReady(1, 0, 7);
        sender.layerReady(0, 7, 9);
        assertThat(sentUnits()).containsExactly("layer 0 blocks 0+1", "layer 1 blocks 0+1", "layer 0 blocks 1+1");
        sender.layerReady(0, 9, 10);
        assertThat(sentUnits()).last().isEqualTo("layer 0 blocks 2+1");
    }

    @Test
    void chunksMayComeInAnyOrder() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.granted();
        sender.started(0, blocks::unit);
        sender.layerReady(1, 6, 10);
        sender.layerReady(0, 0, 10);
        sender.layerReady(1, 0, 6);
        assertThat(sentUnits()).containsExactly("layer 1 blocks 2+1", "layer 0 blocks 0+3", "layer 1 blocks 0+2");
    }

    @Test
    void aTokenAnnouncedTwiceIsRefused() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.layerReady(0, 0, 6);
        assertThatThrownBy(() -> sender.layerReady(0, 3, 8)).hasMessageContaining("announced before");
    }

    @Test
    void nothingButProgressLeavesBeforeTheGrantAndThenEverythingReadyInOrder() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.started(1, blocks::unit);
        sender.layerReady(0, 4, 10);
        assertThat(call.parsed()).allMatch(f -> f.getKind() == FrameKind.FRAME_KIND_PROGRESS);
        sender.granted();
        assertThat(sentUnits()).containsExactly("layer 0 blocks 0+1", "layer 1 blocks 0+1", "layer 0 blocks 1+2");
    }

    @Test
    void whatTheReceiverHoldsIsNotSent() {
        KvSender sender = open(new VerifiedBlocks(1, new int[] {2, 1}));
        sender.granted();
        sender.started(2, blocks::unit);
        sender.layerReady(0, 8, 10);
        sender.layerReady(1, 8, 10);
        sender.finished(new float[] {1}, SenderTimes.NONE);
        assertThat(sentUnits()).containsExactly("layer 1 blocks 2+1");
        KvFrame end = call.parsed().getLast();
        assertThat(end.getEnd().getUnits()).isEqualTo(1);
        assertThat(end.getEnd().getCachedTokens()).isEqualTo(8);
    }

    @Test
    void progressComesAtLeastEvery250MillisecondsWhileQueuedAndComputing() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.queued(3);
        for (int i = 0; i < 40; i++) {
            int before = call.frames.size();
            time.advance(Duration.ofMillis(250));
            assertThat(call.frames.size()).isGreaterThan(before);
        }
        assertThat(call.parsed().getLast().getProgress().getPhase()).isEqualTo(PrefillPhase.PREFILL_PHASE_QUEUED);
        assertThat(call.parsed().getLast().getProgress().getQueuePosition()).isEqualTo(3);
        int before = call.frames.size();
        sender.started(1, blocks::unit);
        assertThat(call.frames).as("a new phase is told at once").hasSizeGreaterThan(before);
        assertThat(call.parsed().getLast().getProgress().getPhase()).isEqualTo(PrefillPhase.PREFILL_PHASE_COMPUTING);
        assertThat(call.parsed().getLast().getProgress().getCachedTokens()).isEqualTo(4);
        sender.tokensDone(7);
        time.advance(Duration.ofMillis(250));
        assertThat(call.parsed().getLast().getProgress().getTokensDone()).isEqualTo(7);
    }

    @Test
    void aBusyTransportGetsNothingAndGoesOnWhenItIsReady() {
        call.capacity = 2;
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.granted();
        sender.started(0, blocks::unit);
        for (int layer = 0; layer < 2; layer++) {
            sender.layerReady(layer, 0, 10);
        }
        sender.finished(new float[] {1}, SenderTimes.NONE);
        int rounds = 0;
        while (!call.parsed().getLast().hasEnd()) {
            assertThat(call.ready).isFalse();
            call.capacity = 1;
            call.ready = true;
            sender.ready();
            assertThat(++rounds).isLessThan(10);
        }
        assertThat(call.parsed().stream().map(KvFrame::getSequenceNumber))
                .isSorted()
                .doesNotHaveDuplicates()
                .hasSize(call.frames.size());
    }

    @Test
    void aPeerThatAcceptsNoByteForFiveSecondsIsReset() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.granted();
        sender.started(0, blocks::unit);
        call.ready = false;
        sender.layerReady(0, 0, 10);
        time.advance(Duration.ofMillis(4_700));
        assertThat(call.reset).isNull();
        call.capacity = 1;
        call.ready = true;
        sender.ready();
        time.advance(Duration.ofMillis(4_700));
        assertThat(call.reset).as("a byte was taken in between").isNull();
        time.advance(Duration.ofMillis(500));
        assertThat(call.reset).isNotNull().extracting(Status::getCode).isEqualTo(Status.Code.ABORTED);
        assertThat(listener.ended).isCompletedWithValueMatching(status -> status.getCode() == Status.Code.ABORTED);
        assertThat(time.waiting()).isEmpty();
    }

    @Test
    void aPeerThatGrantsNothingForHalfAMinuteAfterEverythingIsComputedIsReset() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.started(0, blocks::unit);
        time.advance(Duration.ofMinutes(2));
        assertThat(call.reset).as("computing takes as long as it takes").isNull();
        sender.layerReady(0, 0, 10);
        sender.layerReady(1, 0, 10);
        sender.finished(new float[] {1}, SenderTimes.NONE);
        time.advance(Duration.ofSeconds(29));
        assertThat(call.reset).isNull();
        time.advance(Duration.ofSeconds(2));
        assertThat(call.reset).isNotNull().extracting(Status::getCode).isEqualTo(Status.Code.ABORTED);
        assertThat(listener.releases).hasValue(1);
    }

    @Test
    void blocksAreReleasedWithTheEndFrameAndTheCallEndsWithTheAcknowledgement() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.granted();
        sender.started(0, blocks::unit);
        sender.layerReady(0, 0, 10);
        sender.layerReady(1, 0, 10);
        assertThat(listener.releases).hasValue(0);
        sender.finished(new float[] {1}, SenderTimes.NONE);
        assertThat(listener.releases).hasValue(1);
        assertThat(listener.ended).isNotDone();
        sender.acknowledged();
        assertThat(listener.ended).isCompletedWithValue(Status.OK);
        assertThat(call.closed).isEqualTo(Status.OK);
        assertThat(time.waiting()).isEmpty();
    }

    @Test
    void anAcknowledgementThatNeverComesIsNotWaitedForLongerThanFiveSeconds() {
        KvSender sender = open(VerifiedBlocks.whole(3, 2));
        sender.granted();
        sender.started(0, blocks::unit);
        sender.layerReady(0, 0, 10);
        sender.layerReady(1, 0, 10);
        sender.finished(new float[] {1}, SenderTimes.NONE);
        time.advance(Duration.ofMillis(5_200));
        assertThat(listener.ended).isCompletedWithValueMatching(status -> status.getCode() == Status.Code.ABORTED);
    }

    @Test
    void aCancelledCallReleasesWithoutAnotherFrame() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.granted();
        sender.started(0, blocks::unit);
        call.cancelled = true;
        sender.cancelled();
        int before = call.frames.size();
        sender.layerReady(0, 0, 10);
        sender.failed(Status.CANCELLED, new Metadata());
        time.advance(Duration.ofSeconds(10));
        assertThat(call.frames).hasSize(before);
        assertThat(call.closed).isNull();
        assertThat(listener.ended).isCompletedWithValueMatching(status -> status.getCode() == Status.Code.CANCELLED);
    }

    @Test
    void aFailureClosesTheCallWithItsStatus() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.failed(Status.INTERNAL.withDescription("non-finite"), new Metadata());
        assertThat(call.closed).isNotNull().extracting(Status::getDescription).isEqualTo("non-finite");
        assertThat(listener.releases).hasValue(1);
    }

    @Test
    void aSourceThatCannotBeReadEndsTheStreamAsADefect() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.granted();
        sender.started(0, (layer, block) -> {
            throw new IllegalStateException("pool is closed");
        });
        sender.layerReady(0, 0, 10);
        assertThat(call.closed).isNotNull().extracting(Status::getCode).isEqualTo(Status.Code.INTERNAL);
        assertThat(listener.releases).hasValue(1);
    }

    @Test
    void finishingWithUnitsMissingIsADefect() {
        KvSender sender = open(VerifiedBlocks.whole(0, 2));
        sender.granted();
        sender.started(0, blocks::unit);
        sender.layerReady(0, 0, 10);
        sender.finished(new float[] {1}, SenderTimes.NONE);
        assertThat(call.closed).isNotNull().extracting(Status::getCode).isEqualTo(Status.Code.INTERNAL);
    }
}

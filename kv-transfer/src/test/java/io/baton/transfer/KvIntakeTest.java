package io.baton.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.baton.proto.v1.Encoding;
import io.baton.proto.v1.FrameKind;
import io.baton.proto.v1.KvFrame;
import io.baton.testing.ManualScheduler;
import io.baton.transfer.ReceiveOutcome.Received;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class KvIntakeTest {

    private static final int UNIT = 96;
    private static final float[] HIDDEN = {1.5f, -2f, Float.MIN_VALUE};
    private static final TransferShape SHAPE = TransferShape.of(3, UNIT, 4, 18);
    private static final VerifiedBlocks NOTHING = VerifiedBlocks.whole(0, 3);

    private final Random random = new Random(11);
    private final TestingBlocks source = TestingBlocks.random(SHAPE, random);
    private final TestingBlocks target = TestingBlocks.zeroed(SHAPE, random);
    private final List<byte[]> frames = TestingFrames.prefill(SHAPE, source, NOTHING, HIDDEN);
    private final KvIntake intake = intake(NOTHING);

    private KvIntake intake(VerifiedBlocks held) {
        KvIntake opened = new KvIntake(TestingFrames.receivePlan(SHAPE, held, HIDDEN.length));
        opened.open(target::unit);
        return opened;
    }

    private static KvIntake.Kind offer(KvIntake intake, byte[] frame) throws FrameException {
        return intake.accept(new ByteArrayInputStream(frame));
    }

    private int indexOf(FrameKind kind) throws Exception {
        int index = 0;
        while (KvFrame.parseFrom(frames.get(index)).getKind() != kind) {
            index++;
        }
        return index;
    }

    @Test
    void aWholeStreamIsComplete() throws Exception {
        for (byte[] frame : frames) {
            offer(intake, frame);
        }
        ReceiveOutcome.Complete complete = intake.complete(Duration.ofSeconds(1));
        assertThat(target.equalTo(source)).isTrue();
        assertThat(complete.hidden()).containsExactly(HIDDEN);
        assertThat(complete.senderTimes())
                .isEqualTo(new SenderTimes(Duration.ofMillis(3), Duration.ofMillis(4), Duration.ofMillis(5)));
        assertThat(complete.received()).isEqualTo(new Received(15, 15 * UNIT));
        assertThat(complete.verified()).isEqualTo(VerifiedBlocks.whole(5, 3));
    }

    @Test
    void aChangedHeaderFieldIsDetectedBeforeAnythingBecomesVerified() throws Exception {
        Map<String, Consumer<KvFrame.Builder>> changes = new LinkedHashMap<>();
        changes.put("kind", f -> f.setKindValue(f.getKindValue() ^ 2));
        changes.put("handoff_id", f -> f.setHandoffId(f.getHandoffId() ^ 1));
        changes.put("attempt", f -> f.setAttempt(3));
        changes.put("sequence_number", f -> f.setSequenceNumber(f.getSequenceNumber() + 1));
        changes.put("group", f -> f.setGroup(1));
        changes.put("layer", f -> f.setLayer(f.getLayer() ^ 1));
        changes.put("layer far outside", f -> f.setLayer(-1));
        changes.put("first_block", f -> f.setFirstBlock(1));
        changes.put("first_block far outside", f -> f.setFirstBlock(Integer.MAX_VALUE));
        changes.put("block_count", f -> f.setBlockCount(4));
        changes.put("block_count zero", f -> f.setBlockCount(0));
        changes.put("block_count huge", f -> f.setBlockCount(Integer.MIN_VALUE));
        changes.put("first_head", f -> f.setFirstHead(1));
        changes.put("head_count", f -> f.setHeadCount(1));
        changes.put("encoding", f -> f.setEncodingValue(Encoding.ENCODING_POOL_LAYOUT_VALUE + 1));
        changes.put("last_block_tokens", f -> f.setLastBlockTokens(4));
        changes.put("first_block_hash", f -> f.setFirstBlockHash(ByteString.copyFrom(new byte[16])));
        changes.put("first_block_hash gone", KvFrame.Builder::clearFirstBlockHash);
        changes.put("crc32c", f -> f.setCrc32C(f.getCrc32C() ^ 1));
        changes.put("progress", f -> f.getProgressBuilder().setTokensDone(1));
        changes.put("end", f -> f.getEndBuilder().setComputeMicros(1));
        changes.put("payload", f -> f.setPayload(flipped(f.getPayload(), random)));
        changes.put("payload shorter", f -> f.setPayload(f.getPayload().substring(1)));
        changes.put("payload gone", KvFrame.Builder::clearPayload);
        int at = indexOf(FrameKind.FRAME_KIND_KV);
        for (Map.Entry<String, Consumer<KvFrame.Builder>> change : changes.entrySet()) {
            KvIntake victim = intake(NOTHING);
            for (byte[] frame : frames.subList(0, at)) {
                offer(victim, frame);
            }
            KvFrame.Builder changed = KvFrame.parseFrom(frames.get(at)).toBuilder();
            change.getValue().accept(changed);
            assertThatThrownBy(() -> offer(victim, changed.build().toByteArray()))
                    .as(change.getKey())
                    .isInstanceOf(FrameException.class);
            assertThat(victim.verified()).as(change.getKey()).isEqualTo(NOTHING);
            assertThat(victim.received().units()).as(change.getKey()).isZero();
        }
        assertThat(target.canariesIntact()).isTrue();
    }

    @Test
    void aChangeInResultProgressOrEndIsDetected() throws Exception {
        for (int at = 0; at < frames.size(); at++) {
            KvFrame frame = KvFrame.parseFrom(frames.get(at));
            List<KvFrame.Builder> changes = new ArrayList<>();
            if (frame.hasProgress()) {
                changes.add(frame.toBuilder());
                changes.getLast().getProgressBuilder().setQueuePosition(9);
            }
            if (frame.hasEnd()) {
                changes.add(frame.toBuilder());
                changes.getLast().getEndBuilder().setUnits(14);
                changes.add(frame.toBuilder());
                changes.getLast()
                        .getEndBuilder()
                        .setUnitsDigest(flipped(frame.getEnd().getUnitsDigest(), random));
                changes.add(frame.toBuilder());
                changes.getLast().getEndBuilder().setQueueMicros(1);
            }
            if (frame.getKind() == FrameKind.FRAME_KIND_RESULT) {
                changes.add(frame.toBuilder().setPayload(flipped(frame.getPayload(), random)));
            }
            for (KvFrame.Builder change : changes) {
                KvIntake victim = intake(NOTHING);
                for (byte[] before : frames.subList(0, at)) {
                    offer(victim, before);
                }
                assertThatThrownBy(() -> offer(victim, change.build().toByteArray()))
                        .isInstanceOf(FrameException.class);
            }
        }
    }

    @Test
    void aDigestThatDiffersIsDetectedThoughEveryChecksumHolds() throws Exception {
        for (byte[] frame : frames.subList(0, frames.size() - 1)) {
            offer(intake, frame);
        }
        KvFrame.Builder end = KvFrame.parseFrom(frames.getLast()).toBuilder();
        end.getEndBuilder().setUnitsDigest(flipped(end.getEnd().getUnitsDigest(), random));
        assertThatThrownBy(() -> offer(intake, TestingFrames.checked(end, UNIT)))
                .isInstanceOf(FrameException.class)
                .hasMessageContaining("digest");
    }

    @Test
    void aUnitIsTakenOnce() throws Exception {
        int at = indexOf(FrameKind.FRAME_KIND_KV);
        for (byte[] frame : frames.subList(0, at + 1)) {
            offer(intake, frame);
        }
        byte[] before = target.snapshot();
        KvFrame.Builder again = KvFrame.parseFrom(frames.get(at)).toBuilder();
        again.setSequenceNumber(at + 1).setPayload(flipped(again.getPayload(), random));
        assertThatThrownBy(() -> offer(intake, TestingFrames.checked(again, UNIT)))
                .isInstanceOf(FrameException.class)
                .hasMessageContaining("here already");
        assertThat(target.snapshot()).isEqualTo(before);
    }

    @Test
    void whatIsHeldIsNeverWritten() throws Exception {
        KvIntake resumed = intake(new VerifiedBlocks(1, new int[] {1, 0, 2}));
        byte[] before = target.snapshot();
        assertThatThrownBy(() -> {
                    for (byte[] frame : frames) {
                        offer(resumed, frame);
                    }
                })
                .isInstanceOf(FrameException.class)
                .hasMessageContaining("here already");
        assertThat(target.snapshot()).isEqualTo(before);
    }

    @Test
    void endBeforeEveryUnitAndTheResultIsRefused() throws Exception {
        for (int left : new int[] {indexOf(FrameKind.FRAME_KIND_KV), indexOf(FrameKind.FRAME_KIND_RESULT)}) {
            List<byte[]> fewer = new ArrayList<>(frames);
            KvFrame gone = KvFrame.parseFrom(fewer.remove(left));
            KvIntake victim = intake(NOTHING);
            UnitChecksums rest = new UnitChecksums(SHAPE);
            assertThatThrownBy(() -> {
                        for (int i = 0; i < fewer.size(); i++) {
                            KvFrame.Builder frame =
                                    KvFrame.parseFrom(fewer.get(i)).toBuilder().setSequenceNumber(i);
                            if (frame.getKind() == FrameKind.FRAME_KIND_KV) {
                                addUnits(rest, frame);
                            }
                            if (frame.hasEnd()) {
                                frame.getEndBuilder()
                                        .setUnits(rest.count())
                                        .setUnitsDigest(ByteString.copyFrom(rest.digest()));
                            }
                            offer(victim, TestingFrames.checked(frame, UNIT));
                        }
                    })
                    .isInstanceOf(FrameException.class)
                    .hasMessageContaining(gone.getKind() == FrameKind.FRAME_KIND_KV ? "blocks of layer" : "RESULT");
        }
    }

    private static void addUnits(UnitChecksums checksums, KvFrame.Builder frame) {
        for (int i = 0; i < frame.getBlockCount(); i++) {
            java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
            crc.update(frame.getPayload().substring(i * UNIT, (i + 1) * UNIT).toByteArray());
            checksums.add(SHAPE.unitIndex(frame.getLayer(), frame.getFirstBlock() + i), (int) crc.getValue());
        }
    }

    @Test
    void noUnitIsTakenBeforeTheGrant() throws Exception {
        KvIntake early = new KvIntake(TestingFrames.receivePlan(SHAPE, NOTHING, HIDDEN.length));
        int at = indexOf(FrameKind.FRAME_KIND_KV);
        for (byte[] frame : frames.subList(0, at)) {
            offer(early, frame);
        }
        assertThatThrownBy(() -> offer(early, frames.get(at)))
                .isInstanceOf(FrameException.class)
                .hasMessageContaining("before the grant");
    }

    @Test
    void aStreamBeginsWithAVersionThisSideReads() throws Exception {
        KvFrame.Builder first = KvFrame.parseFrom(frames.getFirst()).toBuilder();
        first.getProgressBuilder().setWireVersion(2);
        assertThatThrownBy(() -> offer(intake, TestingFrames.checked(first, UNIT)))
                .isInstanceOf(FrameException.class)
                .hasMessageContaining("wire version 2, expected 1");
        KvFrame.Builder kv = KvFrame.parseFrom(frames.get(indexOf(FrameKind.FRAME_KIND_KV))).toBuilder();
        assertThatThrownBy(() -> offer(intake(NOTHING), TestingFrames.checked(kv.setSequenceNumber(0), UNIT)))
                .isInstanceOf(FrameException.class)
                .hasMessageContaining("expected PROGRESS");
    }

    @Test
    void wholeBlocksAndBlocksByLayerAreCountedWithoutGaps() throws Exception {
        TransferShape shape = TransferShape.of(3, 1 << 20, 4, 18); // one unit per frame
        TestingBlocks blocks = TestingBlocks.random(shape, random);
        List<byte[]> single = TestingFrames.prefill(shape, blocks, NOTHING, HIDDEN);
        KvIntake counting = new KvIntake(TestingFrames.receivePlan(shape, NOTHING, HIDDEN.length));
        TestingBlocks into = TestingBlocks.zeroed(shape, random);
        counting.open(into::unit);
        int units = 0;
        for (byte[] frame : single) {
            if (offer(counting, frame) == KvIntake.Kind.KV && ++units == 12) {
                break;
            }
        }
        assertThat(counting.verified()).isEqualTo(new VerifiedBlocks(2, new int[] {3, 3, 0}));
        assertThat(into.equalIn(blocks, counting.verified())).isTrue();
    }

    @Test
    void mutatedStreamsNeverWriteOutsideTheUnitsStillToComeNorVerifyWrongBytes() throws Exception {
        VerifiedBlocks held = new VerifiedBlocks(1, new int[] {0, 1, 0});
        List<byte[]> rest = TestingFrames.prefill(SHAPE, source, held, HIDDEN);
        int refused = 0;
        for (int round = 0; round < 5_000; round++) {
            KvIntake victim = intake(held);
            target.copyHeld(source, held);
            int hit = random.nextInt(rest.size());
            try {
                for (int i = 0; i < rest.size(); i++) {
                    byte[] frame = rest.get(i).clone();
                    if (i == hit) {
                        frame[random.nextInt(Math.min(frame.length, 120))] ^= (byte) (1 << random.nextInt(8));
                    }
                    victim.accept(
                            random.nextBoolean()
                                    ? new ByteArrayInputStream(frame)
                                    : TestingFrames.fragments(frame, random));
                }
            } catch (FrameException e) {
                refused++;
            }
            assertThat(target.equalIn(source, victim.verified())).isTrue();
        }
        assertThat(target.canariesIntact()).isTrue();
        assertThat(refused)
                .isGreaterThan(
                        4_800); // a flipped bit can make a field that was 0 an unknown one, which changes nothing
    }

    @Test
    void aFetchMayEndAnywhereBetweenBlocks() throws Exception {
        ReceivePlan plan = TestingFrames.receivePlan(SHAPE, NOTHING, 0);
        KvIntake fetch = new KvIntake(plan);
        fetch.open(target::unit);
        TestingCall call = new TestingCall();
        KvSender sender = KvSender.open(
                call,
                new SendPlan(
                        TestingFrames.HANDOFF, SHAPE, TestingBlocks.hashes(SHAPE), NOTHING, 1, SendPlan.Kind.FETCH),
                Runnable::run,
                TestingFrames.timing(new ManualScheduler()),
                new TestingSendListener());
        sender.started(3, source::unit);
        sender.finished(new float[0], SenderTimes.NONE);
        for (byte[] frame : call.frames) {
            offer(fetch, frame);
        }
        assertThat(fetch.complete(Duration.ZERO).verified()).isEqualTo(VerifiedBlocks.whole(3, 3));
        assertThat(target.equalIn(source, VerifiedBlocks.whole(3, 3))).isTrue();
    }

    private static ByteString flipped(ByteString bytes, Random random) {
        byte[] changed = bytes.toByteArray();
        changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
        return ByteString.copyFrom(changed);
    }
}

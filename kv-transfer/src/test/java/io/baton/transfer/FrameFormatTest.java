package io.baton.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.baton.proto.v1.FrameKind;
import io.baton.proto.v1.KvFrame;
import io.baton.proto.v1.PrefillPhase;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class FrameFormatTest {

    private static final int MAX_FRAME = 1 << 21;
    private static final TransferShape SHAPE = TransferShape.of(2, 100, 4, 11);

    private final Random random = new Random(7);
    private final TestingBlocks blocks = TestingBlocks.random(SHAPE, random);
    private final List<byte[]> frames =
            TestingFrames.prefill(SHAPE, blocks, VerifiedBlocks.whole(0, 2), new float[] {1.5f, -2f, 0f});

    @Test
    void theGeneratedClassReadsEveryFrame() throws IOException {
        List<KvFrame> parsed = new ArrayList<>();
        for (byte[] frame : frames) {
            parsed.add(KvFrame.parseFrom(frame));
        }
        assertThat(parsed.stream().map(KvFrame::getKind))
                .startsWith(FrameKind.FRAME_KIND_PROGRESS)
                .containsSubsequence(FrameKind.FRAME_KIND_KV, FrameKind.FRAME_KIND_RESULT, FrameKind.FRAME_KIND_END);
        KvFrame kv = parsed.stream()
                .filter(f -> f.getKind() == FrameKind.FRAME_KIND_KV)
                .toList()
                .get(1);
        assertThat(kv.getHandoffId()).isEqualTo(TestingFrames.HANDOFF.id());
        assertThat(kv.getAttempt()).isEqualTo(2);
        assertThat(kv.getLayer()).isEqualTo(1);
        assertThat(kv.getBlockCount()).isEqualTo(3);
        assertThat(kv.getLastBlockTokens()).isEqualTo(3);
        assertThat(kv.getPayload().substring(200).toByteArray()).isEqualTo(blocks.bytes(1, 2));
        assertThat(kv.getFirstBlockHash().toByteArray())
                .isEqualTo(Arrays.copyOf(TestingBlocks.hashes(SHAPE).getFirst().bytes(), 16));
        assertThat(parsed.getFirst().getProgress().getPhase()).isEqualTo(PrefillPhase.PREFILL_PHASE_QUEUED);
        assertThat(parsed.getFirst().getProgress().getWireVersion()).isEqualTo(1);
        assertThat(parsed.getLast().getEnd().getUnits()).isEqualTo(6);
        assertThat(parsed.getLast().getEnd().getComputeMicros()).isEqualTo(5000);
        assertThat(parsed.stream().map(KvFrame::getUnknownFields)).allMatch(UnknownFieldSet::isEmpty);
    }

    @Test
    void theChecksumIsWhatTheContractSays() throws IOException {
        for (byte[] frame : frames) {
            KvFrame parsed = KvFrame.parseFrom(frame);
            assertThat(parsed.getCrc32C()).isEqualTo(TestingFrames.checksum(parsed, 100));
        }
    }

    @Test
    void everyValidEncodingReadsTheSame() throws Exception {
        for (byte[] frame : frames) {
            KvFrame parsed = KvFrame.parseFrom(frame);
            List<Function<byte[], InputStream>> transports =
                    List.of(ByteArrayInputStream::new, bytes -> TestingFrames.fragments(bytes, random));
            for (Function<byte[], InputStream> transport : transports) {
                for (byte[] encoding : List.of(
                        frame,
                        parsed.toByteArray(),
                        withUnknownFields(parsed),
                        payloadFirst(parsed),
                        shuffled(parsed))) {
                    assertThat(read(transport.apply(encoding))).isEqualTo(withoutUnknown(parsed));
                }
            }
        }
    }

    @Test
    void aFieldThatComesTwiceCountsTheLastTime() throws Exception {
        byte[] last = frames.get(3);
        byte[] twice = concat(payloadFirst(KvFrame.parseFrom(frames.get(2))), last);
        assertThat(KvFrame.parseFrom(last).getPayload())
                .isNotEqualTo(KvFrame.parseFrom(frames.get(2)).getPayload());
        assertThat(read(new ByteArrayInputStream(twice))).isEqualTo(KvFrame.parseFrom(twice));
        assertThat(read(new ByteArrayInputStream(twice)).getPayload())
                .isEqualTo(KvFrame.parseFrom(last).getPayload());
    }

    @Test
    void aFrameCutAnywhereIsRefusedOrAShorterValidOne() throws IOException {
        for (byte[] frame : frames) {
            for (int length = 0; length < frame.length; length++) {
                sameAsGenerated(Arrays.copyOf(frame, length));
            }
        }
    }

    @Test
    void hostileBytesGiveOneKindOfExceptionAndWhatIsAcceptedReadsAsTheGeneratedClassReadsIt() throws IOException {
        int accepted = 0;
        for (int round = 0; round < 30_000; round++) {
            byte[] mutant = frames.get(random.nextInt(frames.size())).clone();
            mutant = switch (random.nextInt(8)) {
                case 0 -> withUnknownFields(KvFrame.parseFrom(mutant));
                case 1 -> shuffled(KvFrame.parseFrom(mutant));
                case 2 -> concat(mutant, frames.get(random.nextInt(frames.size())));
                default -> mutant;
            };
            int edits = 1 + random.nextInt(4);
            for (int i = 0; i < edits; i++) {
                int at = random.nextInt(random.nextInt(4) == 0 ? mutant.length : Math.min(mutant.length, 110));
                mutant = switch (random.nextInt(4)) {
                    case 0 -> Arrays.copyOf(mutant, Math.max(1, at));
                    case 1 ->
                        concat(
                                Arrays.copyOf(mutant, at),
                                concat(
                                        new byte[] {(byte) random.nextInt()},
                                        Arrays.copyOfRange(mutant, at, mutant.length)));
                    default -> {
                        mutant[at] =
                                (byte) (random.nextBoolean() ? random.nextInt() : mutant[at] ^ 1 << random.nextInt(8));
                        yield mutant;
                    }
                };
            }
            accepted += sameAsGenerated(mutant) ? 1 : 0;
        }
        assertThat(accepted).isBetween(1000, 29_000);
    }

    @Test
    void aFrameLongerThanTheBoundIsNotRead() {
        FrameReader reader = new FrameReader(frames.get(1).length - 1);
        assertThatThrownBy(() -> reader.open(new ByteArrayInputStream(frames.get(1))))
                .isInstanceOf(FrameException.class)
                .hasMessageContaining("expected at most");
    }

    @Test
    void aTransportWithoutKnownLengthOrBuffersIsReadToo() throws Exception {
        for (byte[] frame : frames) {
            assertThat(read(new java.io.SequenceInputStream(
                            new ByteArrayInputStream(frame, 0, 9),
                            new ByteArrayInputStream(frame, 9, frame.length - 9))))
                    .isEqualTo(KvFrame.parseFrom(frame));
        }
    }

    @Test
    void receivingAFrameAllocatesNextToNothing() throws Exception {
        TransferShape large = TransferShape.of(1, 1 << 16, 32, 32 * 16 * 40);
        TestingBlocks source = TestingBlocks.random(large, random);
        TestingBlocks target = TestingBlocks.zeroed(large, random);
        List<InputStream> streams = new ArrayList<>();
        TestingFrames.prefill(large, source, VerifiedBlocks.whole(0, 1), new float[1])
                .forEach(frame -> streams.add(TestingFrames.fragments(frame, new Random(1))));
        KvIntake intake = new KvIntake(TestingFrames.receivePlan(large, VerifiedBlocks.whole(0, 1), 1));
        intake.open(target::unit);
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = 0;
        for (int i = 0; i < 22; i++) {
            if (i == 12) {
                before = threads.getCurrentThreadAllocatedBytes();
            }
            intake.accept(streams.get(i));
        }
        long perFrame = (threads.getCurrentThreadAllocatedBytes() - before) / 10;
        System.out.printf("receiving a 1 MiB frame of 16 units allocates %d bytes%n", perFrame);
        assertThat(perFrame).isLessThan(32 << 10);
    }

    /**
     * True when both accept. This reader may refuse more (overlong frames, odd hash sizes), never less strictly read.
     */
    private boolean sameAsGenerated(byte[] bytes) {
        KvFrame ours;
        try {
            ours = read(
                    random.nextBoolean() ? new ByteArrayInputStream(bytes) : TestingFrames.fragments(bytes, random));
        } catch (FrameException e) {
            return false;
        }
        try {
            assertThat(ours).isEqualTo(withoutUnknown(KvFrame.parseFrom(bytes)));
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError("accepted what the generated class refuses: " + Arrays.toString(bytes), e);
        }
        return true;
    }

    private static KvFrame withoutUnknown(KvFrame frame) {
        KvFrame.Builder builder = frame.toBuilder().setUnknownFields(UnknownFieldSet.getDefaultInstance());
        if (frame.hasProgress()) {
            builder.getProgressBuilder().setUnknownFields(UnknownFieldSet.getDefaultInstance());
        }
        if (frame.hasEnd()) {
            builder.getEndBuilder().setUnknownFields(UnknownFieldSet.getDefaultInstance());
        }
        return builder.build();
    }

    /** What our reader found, as the generated class would hold it. */
    private static KvFrame read(InputStream in) throws FrameException {
        FrameReader reader = new FrameReader(MAX_FRAME);
        reader.open(in);
        byte[] payload = new byte[reader.payloadLength()];
        int half = payload.length / 2;
        reader.readPayload(MemorySegment.ofArray(payload).asSlice(0, half));
        reader.readPayload(MemorySegment.ofArray(payload).asSlice(half));
        FrameHeader h = reader.header();
        KvFrame.Builder frame = KvFrame.newBuilder()
                .setKindValue(h.kind)
                .setHandoffId(h.handoffId)
                .setAttempt(h.attempt)
                .setSequenceNumber(h.sequenceNumber)
                .setGroup(h.group)
                .setLayer(h.layer)
                .setFirstBlock(h.firstBlock)
                .setBlockCount(h.blockCount)
                .setFirstHead(h.firstHead)
                .setHeadCount(h.headCount)
                .setEncodingValue(h.encoding)
                .setLastBlockTokens(h.lastBlockTokens)
                .setFirstBlockHash(ByteString.copyFrom(h.hash, 0, h.hashLength))
                .setCrc32C(h.crc32c)
                .setPayload(ByteString.copyFrom(payload));
        if (h.hasProgress) {
            frame.getProgressBuilder()
                    .setPhaseValue(h.phase)
                    .setQueuePosition(h.queuePosition)
                    .setTokensDone(h.tokensDone)
                    .setTokensTotal(h.tokensTotal)
                    .setCachedTokens(h.progressCachedTokens)
                    .setWireVersion(h.wireVersion);
        }
        if (h.hasEnd) {
            frame.getEndBuilder()
                    .setUnits(h.units)
                    .setUnitsDigest(ByteString.copyFrom(h.digest, 0, h.digestLength))
                    .setQueueMicros(h.queueMicros)
                    .setPrefixFetchMicros(h.prefixFetchMicros)
                    .setComputeMicros(h.computeMicros)
                    .setCachedTokens(h.endCachedTokens);
        }
        return frame.build();
    }

    private static byte[] withUnknownFields(KvFrame frame) throws IOException {
        UnknownFieldSet inner = UnknownFieldSet.newBuilder()
                .addField(3, UnknownFieldSet.Field.newBuilder().addVarint(-1).build())
                .build();
        byte[] unknown = UnknownFieldSet.newBuilder()
                .addField(
                        99,
                        UnknownFieldSet.Field.newBuilder()
                                .addVarint(77)
                                .addGroup(inner)
                                .build())
                .addField(
                        2000,
                        UnknownFieldSet.Field.newBuilder()
                                .addFixed32(1)
                                .addFixed64(2)
                                .build())
                .addField(3, UnknownFieldSet.Field.newBuilder().addVarint(5).build()) // known number, other type
                .addField(
                        98,
                        UnknownFieldSet.Field.newBuilder()
                                .addLengthDelimited(ByteString.copyFromUtf8("later"))
                                .build())
                .build()
                .toByteArray();
        return concat(unknown, frame.toByteArray());
    }

    private static byte[] payloadFirst(KvFrame frame) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.writeBytes(17, frame.getPayload());
        out.flush();
        bytes.write(frame.toBuilder().clearPayload().build().toByteArray());
        return bytes.toByteArray();
    }

    /** The same fields, each as a message of its own, in random order: concatenation merges. */
    private byte[] shuffled(KvFrame frame) {
        List<byte[]> fields = new ArrayList<>();
        frame.getAllFields()
                .forEach((field, value) -> fields.add(
                        KvFrame.newBuilder().setField(field, value).build().toByteArray()));
        Collections.shuffle(fields, random);
        return fields.stream().reduce(new byte[0], FrameFormatTest::concat);
    }

    private static byte[] concat(byte[] left, byte[] right) {
        byte[] both = Arrays.copyOf(left, left.length + right.length);
        System.arraycopy(right, 0, both, left.length, right.length);
        return both;
    }
}

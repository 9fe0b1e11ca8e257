package io.baton.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.baton.proto.v1.KvFrame;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Random;

/**
 * Streams of frames from a hostile peer. A first byte says how they come ({@link #REPAIRED} and so on), then each frame
 * follows its length in two bytes, little-endian; the last may be cut.
 */
class KvFrameFuzzTest {

    /** Checksums are made right, as a liar would; otherwise few frames get past them. */
    static final int REPAIRED = 1;

    /** In direct buffers of odd sizes, as netty gives them. */
    static final int FRAGMENTED = 2;

    /** Some blocks are here already. */
    static final int RESUMED = 4;

    /** A fetch, which has no result and may end early. */
    static final int FETCHED = 8;

    static final TransferShape SHAPE = TransferShape.of(2, 16, 4, 10);
    static final VerifiedBlocks HELD = new VerifiedBlocks(1, new int[] {1, 0});
    static final VerifiedBlocks NOTHING = VerifiedBlocks.whole(0, 2);
    static final float[] HIDDEN = {1.5f, -2f};

    private final TestingBlocks source = TestingBlocks.random(SHAPE, new Random(3));
    private final TestingBlocks target = TestingBlocks.zeroed(SHAPE, new Random(4));

    @FuzzTest
    void anyStreamIsTakenOrRefusedAndWritesOnlyWhatIsStillToCome(byte[] stream) {
        ByteBuffer bytes = ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN);
        int how = bytes.hasRemaining() ? bytes.get() : 0;
        VerifiedBlocks held = (how & RESUMED) != 0 ? HELD : NOTHING;
        int hiddenSize = (how & FETCHED) != 0 ? 0 : HIDDEN.length;
        target.copyHeld(source, held);
        KvIntake intake = new KvIntake(TestingFrames.receivePlan(SHAPE, held, hiddenSize));
        intake.open((layer, block) -> stillToCome(intake, layer, block));
        try {
            while (bytes.remaining() >= Short.BYTES) {
                byte[] frame = new byte[Math.min(Short.toUnsignedInt(bytes.getShort()), bytes.remaining())];
                bytes.get(frame);
                int before = intake.received().units();
                KvIntake.Kind kind = intake.accept(opened((how & REPAIRED) != 0 ? repaired(frame) : frame, how));
                int most = kind == KvIntake.Kind.KV ? SHAPE.blocks() : 0;
                assertThat(intake.received().units() - before).isBetween(0, most);
                if (kind == KvIntake.Kind.END) {
                    assertThat(intake.complete(Duration.ZERO).hidden()).hasSize(hiddenSize);
                }
            }
        } catch (FrameException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
        assertThat(intake.verified().everyLayer()).isBetween(held.everyLayer(), SHAPE.blocks());
        assertThat(target.equalIn(source, held)).as("what was here").isTrue();
        assertThat(target.canariesIntact()).as("what lies around the units").isTrue();
    }

    private MemorySegment stillToCome(KvIntake intake, int layer, int block) {
        assertThat(block).isBetween(intake.verified().in(layer), SHAPE.blocks() - 1);
        return target.unit(layer, block);
    }

    private static InputStream opened(byte[] frame, int how) {
        return (how & FRAGMENTED) != 0
                ? TestingFrames.fragments(frame, new Random(5))
                : new ByteArrayInputStream(frame);
    }

    private static byte[] repaired(byte[] frame) {
        try {
            KvFrame parsed = KvFrame.parseFrom(frame);
            boolean summed = parsed.getFirstBlockHash().size() <= FrameHeader.HASH_BYTES
                    && parsed.getEnd().getUnitsDigest().size() <= FrameHeader.DIGEST_BYTES
                    && parsed.getPayload().size() <= (int) SHAPE.unitBytes() * SHAPE.blocks();
            return summed ? TestingFrames.checked(parsed.toBuilder(), (int) SHAPE.unitBytes()) : frame;
        } catch (InvalidProtocolBufferException e) {
            return frame;
        }
    }
}

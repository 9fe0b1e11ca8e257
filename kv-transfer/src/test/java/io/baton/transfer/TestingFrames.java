package io.baton.transfer;

import io.baton.proto.v1.KvEnd;
import io.baton.proto.v1.KvFrame;
import io.baton.proto.v1.KvProgress;
import io.baton.testing.ManualScheduler;
import io.grpc.HasByteBuffer;
import io.grpc.KnownLength;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;

/** Frames of one small prefill as bytes, and streams over bytes as transports give them. */
final class TestingFrames {

    static final Handoff HANDOFF = new Handoff(0x1122334455667788L, 2);

    private TestingFrames() {}

    /** All frames of a whole prefill: PROGRESS, KV …, RESULT, END. */
    static List<byte[]> prefill(TransferShape shape, TestingBlocks blocks, VerifiedBlocks held, float[] hidden) {
        TestingCall call = new TestingCall();
        SendPlan plan = new SendPlan(HANDOFF, shape, TestingBlocks.hashes(shape), held, 1, SendPlan.Kind.PREFILL);
        KvSender sender =
                KvSender.open(call, plan, Runnable::run, timing(new ManualScheduler()), new TestingSendListener());
        sender.granted();
        sender.started(0, blocks::unit);
        for (int layer = 0; layer < shape.layers(); layer++) {
            sender.layerReady(layer, 0, shape.tokens());
        }
        sender.finished(hidden, new SenderTimes(Duration.ofMillis(3), Duration.ofMillis(4), Duration.ofMillis(5)));
        return new ArrayList<>(call.frames);
    }

    static ReceivePlan receivePlan(TransferShape shape, VerifiedBlocks held, int hiddenSize) {
        return new ReceivePlan(
                HANDOFF,
                shape,
                TestingBlocks.hashes(shape),
                held,
                hiddenSize,
                Duration.ofMillis(250),
                WireVersions.SUPPORTED);
    }

    /** Streams whose time passes when a test says so. */
    static Timing timing(ManualScheduler time) {
        return new Timing(time::nanoTime, time);
    }

    /** The checksum as the contract's comment defines it, from the generated class. */
    static int checksum(KvFrame frame, int unitBytes) {
        ByteBuffer words = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
        words.putInt(frame.getKindValue()).putLong(frame.getHandoffId());
        for (int word : new int[] {
            frame.getAttempt(),
            frame.getSequenceNumber(),
            frame.getGroup(),
            frame.getLayer(),
            frame.getFirstBlock(),
            frame.getBlockCount(),
            frame.getFirstHead(),
            frame.getHeadCount(),
            frame.getEncodingValue(),
            frame.getLastBlockTokens(),
            frame.getFirstBlockHash().size()
        }) {
            words.putInt(word);
        }
        words.put(frame.getFirstBlockHash().toByteArray());
        KvProgress progress = frame.getProgress();
        words.putInt(progress.getPhaseValue())
                .putInt(progress.getQueuePosition())
                .putInt(progress.getTokensDone())
                .putInt(progress.getTokensTotal())
                .putInt(progress.getCachedTokens())
                .putInt(progress.getWireVersion());
        KvEnd end = frame.getEnd();
        words.putInt(end.getUnits())
                .putInt(end.getUnitsDigest().size())
                .put(end.getUnitsDigest().toByteArray())
                .putLong(end.getQueueMicros())
                .putLong(end.getPrefixFetchMicros())
                .putLong(end.getComputeMicros())
                .putInt(end.getCachedTokens());
        CRC32C crc = new CRC32C();
        crc.update(words.flip());
        byte[] payload = frame.getPayload().toByteArray();
        int part = frame.getBlockCount() > 0 ? unitBytes : Math.max(1, payload.length);
        for (int at = 0; at < payload.length; at += part) {
            CRC32C unit = new CRC32C();
            unit.update(payload, at, Math.min(part, payload.length - at));
            crc.update(words.clear().putInt((int) unit.getValue()).flip());
        }
        return (int) crc.getValue();
    }

    /** {@code frame} with its checksum made right. */
    static byte[] checked(KvFrame.Builder frame, int unitBytes) {
        return frame.setCrc32C(checksum(frame.build(), unitBytes)).build().toByteArray();
    }

    /** Direct buffers of random sizes, as netty gives them. */
    static InputStream fragments(byte[] bytes, Random random) {
        return new Fragments(bytes, random);
    }

    private static final class Fragments extends InputStream implements KnownLength, HasByteBuffer {

        private final ByteBuffer bytes;
        private final Random random;

        Fragments(byte[] bytes, Random random) {
            this.bytes = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
            this.random = random;
        }

        @Override
        public int read() {
            return bytes.hasRemaining() ? Byte.toUnsignedInt(bytes.get()) : -1;
        }

        @Override
        public int read(byte[] target, int offset, int length) {
            int count = Math.min(length, bytes.remaining());
            bytes.get(target, offset, count);
            return count == 0 && length > 0 ? -1 : count;
        }

        @Override
        public int available() {
            return bytes.remaining();
        }

        @Override
        public long skip(long count) {
            int skipped = (int) Math.min(count, bytes.remaining());
            bytes.position(bytes.position() + skipped);
            return skipped;
        }

        @Override
        public boolean byteBufferSupported() {
            return true;
        }

        @Override
        public ByteBuffer getByteBuffer() {
            ByteBuffer view = bytes.asReadOnlyBuffer();
            return view.hasRemaining() ? view.limit(view.position() + 1 + random.nextInt(view.remaining())) : view;
        }
    }
}

package io.baton.transfer;

import io.baton.transfer.ProgressReport.Phase;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Decides what of a stream may be written where, and what is verified. A frame's header is checked before its first
 * byte is written, so a frame can only ever touch units that the stream has still to bring; its units count once the
 * checksum over header and payload holds. One thread at a time, but for {@link #open}.
 */
final class KvIntake {

    /** What a frame was. */
    enum Kind {
        KV,
        PROGRESS,
        RESULT,
        END
    }

    private static final ValueLayout.OfFloat LITTLE_ENDIAN_FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final ReceivePlan plan;
    private final TransferShape shape;
    private final FrameReader reader;
    private final FrameHeader header;
    private final UnitChecksums received;
    private final int[] blocksByLayer; // verified without a gap, held ones included
    private final int[] frameCrcs;
    private final CRC32C crc = new CRC32C();
    private volatile @Nullable UnitTarget target;
    private int nextSequenceNumber;
    private int wireVersion;
    private @Nullable ProgressReport progress;
    private float @Nullable [] hidden;
    private boolean ended;
    private SenderTimes senderTimes = SenderTimes.NONE;
    private int senderCachedTokens;

    KvIntake(ReceivePlan plan) {
        this.plan = plan;
        this.shape = plan.shape();
        this.reader = new FrameReader(plan.maxFrameBytes());
        this.header = reader.header();
        this.received = new UnitChecksums(shape);
        this.blocksByLayer = new int[shape.layers()];
        this.frameCrcs = new int[shape.blocksPerFrame()];
        for (int layer = 0; layer < shape.layers(); layer++) {
            blocksByLayer[layer] = plan.held().in(layer);
        }
    }

    /** From here on KV frames are written into {@code target}. Any thread. */
    void open(UnitTarget target) {
        this.target = target;
    }

    /** Checks one frame and takes what it brings. After an exception nothing more may be offered. */
    Kind accept(InputStream frame) throws FrameException {
        reader.open(frame);
        require(
                header.handoffId == plan.handoff().id(),
                "handoff id",
                header.handoffId,
                plan.handoff().id());
        require(
                header.attempt == plan.handoff().attempt(),
                "attempt",
                header.attempt,
                plan.handoff().attempt());
        require(
                header.sequenceNumber == nextSequenceNumber,
                "sequence number",
                header.sequenceNumber,
                nextSequenceNumber);
        if (ended) {
            throw new FrameException("a frame of kind %d after END".formatted(header.kind));
        }
        if (nextSequenceNumber == 0 && header.kind != FrameHeader.PROGRESS) {
            throw new FrameException("the first frame is of kind %d, expected PROGRESS".formatted(header.kind));
        }
        Kind kind = switch (header.kind) {
            case FrameHeader.KV -> takeUnits();
            case FrameHeader.PROGRESS -> takeProgress();
            case FrameHeader.RESULT -> takeResult();
            case FrameHeader.END -> takeEnd();
            default -> throw new FrameException("frame kind %d, expected 1 to 4".formatted(header.kind));
        };
        nextSequenceNumber++;
        return kind;
    }

    private Kind takeUnits() throws FrameException {
        UnitTarget units = target;
        if (units == null) {
            throw new FrameException("a KV frame before the grant");
        }
        int first = header.firstBlock;
        int count = header.blockCount;
        requireRange("group", header.group, 0, 0);
        requireRange("layer", header.layer, 0, shape.layers() - 1);
        requireRange("first block", first, 0, shape.blocks() - 1);
        requireRange("block count", count, 1, Math.min(shape.blocksPerFrame(), shape.blocks() - first));
        requireRange("first head", header.firstHead, 0, 0);
        requireRange("head count", header.headCount, 0, 0);
        requireRange("encoding", header.encoding, FrameHeader.POOL_LAYOUT, FrameHeader.POOL_LAYOUT);
        int lastTokens = shape.tokensIn(first + count - 1);
        requireRange("tokens of the last block", header.lastBlockTokens, lastTokens, lastTokens);
        requireHash(first);
        requirePayload(count * shape.unitBytes());
        for (int block = first; block < first + count; block++) {
            if (block < plan.held().in(header.layer) || received.contains(shape.unitIndex(header.layer, block))) {
                throw new FrameException("layer %d, block %d is here already".formatted(header.layer, block));
            }
        }
        for (int i = 0; i < count; i++) {
            MemorySegment unit = units.unit(header.layer, first + i);
            if (unit.byteSize() != shape.unitBytes()) {
                throw new IllegalStateException("the unit of layer %d, block %d has %d bytes, expected %d"
                        .formatted(header.layer, first + i, unit.byteSize(), shape.unitBytes()));
            }
            reader.readPayload(unit);
            frameCrcs[i] = crcOf(unit);
        }
        requireChecksum(count);
        for (int i = 0; i < count; i++) {
            received.add(shape.unitIndex(header.layer, first + i), frameCrcs[i]);
        }
        int block = blocksByLayer[header.layer];
        while (block < shape.blocks() && received.contains(shape.unitIndex(header.layer, block))) {
            block++;
        }
        blocksByLayer[header.layer] = block;
        return Kind.KV;
    }

    private Kind takeProgress() throws FrameException {
        requirePayload(0);
        requireChecksum(0);
        if (nextSequenceNumber == 0) {
            if (!plan.versions().contains(header.wireVersion)) {
                throw new FrameException("wire version %d, expected %s".formatted(header.wireVersion, plan.versions()));
            }
            wireVersion = header.wireVersion;
        }
        requireRange("wire version", header.wireVersion, wireVersion, wireVersion);
        progress = new ProgressReport(
                Phase.ofWire(header.phase),
                header.queuePosition,
                header.tokensDone,
                header.tokensTotal,
                header.progressCachedTokens,
                header.wireVersion);
        return Kind.PROGRESS;
    }

    private Kind takeResult() throws FrameException {
        if (plan.fetch() || hidden != null) {
            throw new FrameException(plan.fetch() ? "a RESULT in a fetch" : "a second RESULT");
        }
        requirePayload((long) plan.hiddenSize() * Float.BYTES);
        byte[] bytes = new byte[reader.payloadLength()];
        MemorySegment payload = MemorySegment.ofArray(bytes);
        reader.readPayload(payload);
        frameCrcs[0] = crcOf(payload);
        requireChecksum(1);
        hidden = payload.toArray(LITTLE_ENDIAN_FLOAT);
        return Kind.RESULT;
    }

    private Kind takeEnd() throws FrameException {
        requirePayload(0);
        requireChecksum(0);
        require(header.units == received.count(), "units sent", header.units, received.count());
        if (header.digestLength != FrameHeader.DIGEST_BYTES || !Arrays.equals(header.digest, received.digest())) {
            throw new FrameException("the digest over all units differs");
        }
        int expected = plan.fetch() ? blocksByLayer[0] : shape.blocks();
        for (int layer = 0; layer < shape.layers(); layer++) {
            require(
                    blocksByLayer[layer] == expected,
                    "END, but blocks of layer " + layer,
                    blocksByLayer[layer],
                    expected);
        }
        if (!plan.fetch() && hidden == null) {
            throw new FrameException("END without RESULT");
        }
        ended = true;
        senderCachedTokens = header.endCachedTokens;
        senderTimes = new SenderTimes(
                micros(header.queueMicros), micros(header.prefixFetchMicros), micros(header.computeMicros));
        return Kind.END;
    }

    /** Blocks verified in every layer, a partial last one included. */
    int blocksInEveryLayer() {
        int least = shape.blocks();
        for (int blocks : blocksByLayer) {
            least = Math.min(least, blocks);
        }
        return least;
    }

    VerifiedBlocks verified() {
        int everyLayer = blocksInEveryLayer();
        return new VerifiedBlocks(
                everyLayer,
                Arrays.stream(blocksByLayer).map(blocks -> blocks - everyLayer).toArray());
    }

    ReceiveOutcome.Received received() {
        return new ReceiveOutcome.Received(received.count(), received.count() * shape.unitBytes());
    }

    /** Of the last PROGRESS frame. */
    ProgressReport progress() {
        if (progress == null) {
            throw new IllegalStateException("no PROGRESS frame yet");
        }
        return progress;
    }

    /** Once END was accepted. */
    ReceiveOutcome.Complete complete(Duration elapsed) {
        if (!ended) {
            throw new IllegalStateException("no END frame yet");
        }
        float[] result = hidden == null ? new float[0] : hidden;
        return new ReceiveOutcome.Complete(verified(), result, senderTimes, senderCachedTokens, received(), elapsed);
    }

    private int crcOf(MemorySegment bytes) {
        crc.reset();
        crc.update(bytes.asByteBuffer());
        return (int) crc.getValue();
    }

    private void requireHash(int block) throws FrameException {
        boolean whole = block < shape.wholeBlocks();
        if (header.hashLength != (whole ? FrameHeader.HASH_BYTES : 0)) {
            throw new FrameException("block %d has a hash of %d bytes, expected %d"
                    .formatted(block, header.hashLength, whole ? FrameHeader.HASH_BYTES : 0));
        }
        if (whole && !plan.hashes().get(block).key().equals(header.hashKey())) {
            throw new FrameException("block %d belongs to another sequence: its chained hash differs".formatted(block));
        }
    }

    private void requirePayload(long expected) throws FrameException {
        require(reader.payloadLength() == expected, "payload bytes", reader.payloadLength(), expected);
    }

    private void requireChecksum(int payloadUnits) throws FrameException {
        int computed = header.checksum(frameCrcs, payloadUnits);
        if (header.crc32c != computed) {
            throw new FrameException("the checksum of frame %d is %08x, expected %08x"
                    .formatted(nextSequenceNumber, computed, header.crc32c));
        }
    }

    private static void requireRange(String name, int found, int least, int most) throws FrameException {
        if (found < least || found > most) {
            throw new FrameException(
                    least == most
                            ? "%s is %d, expected %d".formatted(name, found, least)
                            : "%s is %d, expected %d to %d".formatted(name, found, least, most));
        }
    }

    private static void require(boolean condition, String name, long found, long expected) throws FrameException {
        if (!condition) {
            throw new FrameException("%s is %d, expected %d".formatted(name, found, expected));
        }
    }

    /** A sender's figure is no reason to fail: it is bounded to what a Duration holds. */
    private static Duration micros(long value) {
        return Duration.of(Math.max(0, value), ChronoUnit.MICROS);
    }
}

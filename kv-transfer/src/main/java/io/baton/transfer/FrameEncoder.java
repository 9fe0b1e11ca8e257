package io.baton.transfer;

import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32C;

/**
 * Writes frames into one reused byte array: the pool is read once, its bytes are checksummed where they will be sent
 * from, and a frame cannot change between checksum and transport. One thread at a time.
 */
final class FrameEncoder {

    private final TransferShape shape;
    private final int[] unitCrcs;
    private final CRC32C crc = new CRC32C();
    private byte[] bytes = new byte[FrameHeader.MAX_BYTES];

    FrameEncoder(TransferShape shape) {
        this.shape = shape;
        this.unitCrcs = new int[shape.blocksPerFrame()];
    }

    /** CRC32C of the {@code index}-th unit of the frame encoded last. */
    int unitCrc(int index) {
        return unitCrcs[index];
    }

    /** A KV frame: the header's units, read from {@code source}. The header's checksum is set. */
    void encodeUnits(FrameHeader header, UnitSource source, OutgoingFrame frame) {
        int unitBytes = (int) shape.unitBytes();
        int payload = header.blockCount * unitBytes;
        reserve(FrameHeader.MAX_BYTES + payload);
        int start = FrameHeader.MAX_BYTES;
        for (int i = 0; i < header.blockCount; i++) {
            MemorySegment unit = source.unit(header.layer, header.firstBlock + i);
            if (unit.byteSize() != unitBytes) {
                throw new IllegalStateException("the unit of layer %d, block %d has %d bytes, expected %d"
                        .formatted(header.layer, header.firstBlock + i, unit.byteSize(), unitBytes));
            }
            int at = start + i * unitBytes;
            MemorySegment.copy(unit, ValueLayout.JAVA_BYTE, 0, bytes, at, unitBytes);
            unitCrcs[i] = crcOf(at, unitBytes);
        }
        finish(header, header.blockCount, payload, frame);
    }

    /** Any other frame, with {@code floats} as its payload if there are any. */
    void encode(FrameHeader header, float[] floats, OutgoingFrame frame) {
        int payload = floats.length * Float.BYTES;
        reserve(FrameHeader.MAX_BYTES + payload);
        MemorySegment.copy(
                MemorySegment.ofArray(floats),
                ValueLayout.JAVA_FLOAT_UNALIGNED,
                0,
                MemorySegment.ofArray(bytes),
                LITTLE_ENDIAN_FLOAT,
                FrameHeader.MAX_BYTES,
                floats.length);
        unitCrcs[0] = crcOf(FrameHeader.MAX_BYTES, payload);
        finish(header, payload == 0 ? 0 : 1, payload, frame);
    }

    private static final ValueLayout.OfFloat LITTLE_ENDIAN_FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(java.nio.ByteOrder.LITTLE_ENDIAN);

    private int crcOf(int offset, int length) {
        crc.reset();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    private void reserve(int length) {
        if (bytes.length < length) {
            bytes = new byte[length];
        }
    }

    /** Writes the header so that it ends where the payload begins. */
    private void finish(FrameHeader header, int payloadUnits, int payload, OutgoingFrame frame) {
        header.crc32c = header.checksum(unitCrcs, payloadUnits);
        try {
            int length = headerLength(header, payload);
            int start = FrameHeader.MAX_BYTES - length;
            CodedOutputStream out = CodedOutputStream.newInstance(bytes, start, length);
            write(header, payload, out);
            out.checkNoSpaceLeft();
            frame.set(bytes, start, length + payload);
        } catch (IOException e) {
            throw new UncheckedIOException("a frame header is longer than computed", e);
        }
    }

    private static void write(FrameHeader h, int payload, CodedOutputStream out) throws IOException {
        out.writeEnum(1, h.kind);
        out.writeFixed64(2, h.handoffId);
        out.writeFixed32(3, h.attempt);
        out.writeFixed32(4, h.sequenceNumber);
        if (h.kind == FrameHeader.KV) {
            out.writeFixed32(5, h.group);
            out.writeFixed32(6, h.layer);
            out.writeFixed32(7, h.firstBlock);
            out.writeFixed32(8, h.blockCount);
            out.writeFixed32(9, h.firstHead);
            out.writeFixed32(10, h.headCount);
            out.writeEnum(11, h.encoding);
            out.writeFixed32(12, h.lastBlockTokens);
            if (h.hashLength > 0) {
                out.writeTag(13, 2);
                out.writeUInt32NoTag(h.hashLength);
                out.writeRawBytes(h.hash, 0, h.hashLength);
            }
        }
        out.writeFixed32(14, h.crc32c);
        if (h.hasProgress) {
            out.writeTag(15, 2);
            out.writeUInt32NoTag(progressLength(h));
            out.writeEnum(1, h.phase);
            out.writeUInt32(2, h.queuePosition);
            out.writeUInt32(3, h.tokensDone);
            out.writeUInt32(4, h.tokensTotal);
            out.writeUInt32(5, h.progressCachedTokens);
            out.writeUInt32(6, h.wireVersion);
        }
        if (h.hasEnd) {
            out.writeTag(16, 2);
            out.writeUInt32NoTag(endLength(h));
            out.writeUInt32(1, h.units);
            out.writeTag(2, 2);
            out.writeUInt32NoTag(h.digestLength);
            out.writeRawBytes(h.digest, 0, h.digestLength);
            out.writeUInt64(3, h.queueMicros);
            out.writeUInt64(4, h.prefixFetchMicros);
            out.writeUInt64(5, h.computeMicros);
            out.writeUInt32(6, h.endCachedTokens);
        }
        if (payload > 0) {
            out.writeTag(17, 2);
            out.writeUInt32NoTag(payload);
        }
    }

    private static int headerLength(FrameHeader h, int payload) {
        int length = CodedOutputStream.computeEnumSize(1, h.kind) + 9 + 5 + 5 + 5;
        if (h.kind == FrameHeader.KV) {
            length += 7 * 5 + CodedOutputStream.computeEnumSize(11, h.encoding);
            length += h.hashLength > 0 ? 2 + h.hashLength : 0;
        }
        if (h.hasProgress) {
            length += 1 + sized(progressLength(h));
        }
        if (h.hasEnd) {
            length += 2 + sized(endLength(h));
        }
        return payload > 0 ? length + 2 + CodedOutputStream.computeUInt32SizeNoTag(payload) : length;
    }

    private static int sized(int length) {
        return CodedOutputStream.computeUInt32SizeNoTag(length) + length;
    }

    private static int progressLength(FrameHeader h) {
        return CodedOutputStream.computeEnumSize(1, h.phase)
                + CodedOutputStream.computeUInt32Size(2, h.queuePosition)
                + CodedOutputStream.computeUInt32Size(3, h.tokensDone)
                + CodedOutputStream.computeUInt32Size(4, h.tokensTotal)
                + CodedOutputStream.computeUInt32Size(5, h.progressCachedTokens)
                + CodedOutputStream.computeUInt32Size(6, h.wireVersion);
    }

    private static int endLength(FrameHeader h) {
        return CodedOutputStream.computeUInt32Size(1, h.units)
                + 1
                + sized(h.digestLength)
                + CodedOutputStream.computeUInt64Size(3, h.queueMicros)
                + CodedOutputStream.computeUInt64Size(4, h.prefixFetchMicros)
                + CodedOutputStream.computeUInt64Size(5, h.computeMicros)
                + CodedOutputStream.computeUInt32Size(6, h.endCachedTokens);
    }
}

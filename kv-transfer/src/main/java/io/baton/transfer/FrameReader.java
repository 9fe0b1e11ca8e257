package io.baton.transfer;

import io.grpc.HasByteBuffer;
import io.grpc.KnownLength;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/**
 * Reads frames by hand. Where the payload is the frame's last field, as Baton writes it, {@link #readPayload} copies it
 * once from the transport's buffers into its target; any other valid encoding goes through a buffer of this reader.
 * Reused from frame to frame; one thread at a time.
 */
final class FrameReader {

    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH = 2;
    private static final int GROUP_START = 3;
    private static final int GROUP_END = 4;
    private static final int FIXED32 = 5;
    private static final int MAX_GROUP_DEPTH = 32;

    private final FrameHeader header = new FrameHeader();
    private final int maxFrameBytes;
    private byte[] chunk = new byte[0];
    private InputStream in = InputStream.nullInputStream();
    private int remaining; // bytes of the frame not read yet
    private int payloadLength;

    FrameReader(int maxFrameBytes) {
        this.maxFrameBytes = maxFrameBytes;
    }

    FrameHeader header() {
        return header;
    }

    int payloadLength() {
        return payloadLength;
    }

    /** Reads the header. What follows in the frame is exactly the payload. */
    void open(InputStream frame) throws FrameException {
        header.clear();
        payloadLength = 0;
        byte[] buffered = new byte[0];
        try {
            in = frame instanceof KnownLength ? frame : bufferedWhole(frame);
            remaining = in.available();
            if (remaining > maxFrameBytes) {
                throw new FrameException(
                        "a frame of %d bytes, expected at most %d".formatted(remaining, maxFrameBytes));
            }
            while (remaining > 0) {
                int tag = tag();
                if (tag >>> 3 == 17 && (tag & 7) == LENGTH) {
                    payloadLength = length();
                    if (payloadLength == remaining) {
                        return;
                    }
                    buffered = bytes(payloadLength);
                } else {
                    frameField(tag);
                }
            }
            in = new ByteArrayInputStream(buffered);
            remaining = payloadLength;
        } catch (IOException e) {
            throw new FrameException("a frame could not be read: " + e.getMessage(), e);
        }
    }

    /** Fills {@code target} with the next bytes of the payload. */
    void readPayload(MemorySegment target) throws FrameException {
        int length = (int) target.byteSize();
        if (length > remaining) {
            throw new FrameException("a payload ends %d bytes early".formatted(length - remaining));
        }
        remaining -= length;
        try {
            if (in instanceof HasByteBuffer buffers && buffers.byteBufferSupported()) {
                copyBuffers(buffers, target);
            } else {
                copyThroughHeap(target);
            }
        } catch (IOException e) {
            throw new FrameException("a payload could not be read: " + e.getMessage(), e);
        }
    }

    private void copyBuffers(HasByteBuffer buffers, MemorySegment target) throws IOException, FrameException {
        long done = 0;
        while (done < target.byteSize()) {
            ByteBuffer buffer = buffers.getByteBuffer();
            if (buffer == null || !buffer.hasRemaining()) {
                throw new FrameException("a payload ends %d bytes early".formatted(target.byteSize() - done));
            }
            long count = Math.min(buffer.remaining(), target.byteSize() - done);
            MemorySegment.copy(MemorySegment.ofBuffer(buffer), 0, target, done, count);
            in.skipNBytes(count);
            done += count;
        }
    }

    private void copyThroughHeap(MemorySegment target) throws IOException, FrameException {
        if (chunk.length == 0) {
            chunk = new byte[1 << 14];
        }
        long done = 0;
        while (done < target.byteSize()) {
            int count = in.read(chunk, 0, (int) Math.min(chunk.length, target.byteSize() - done));
            if (count <= 0) {
                throw new FrameException("a payload ends %d bytes early".formatted(target.byteSize() - done));
            }
            MemorySegment.copy(chunk, 0, target, ValueLayout.JAVA_BYTE, done, count);
            done += count;
        }
    }

    private InputStream bufferedWhole(InputStream frame) throws IOException {
        return new ByteArrayInputStream(frame.readNBytes(maxFrameBytes + 1));
    }

    private void frameField(int tag) throws IOException, FrameException {
        switch (tag) {
            case 1 << 3 | VARINT -> header.kind = (int) varint();
            case 2 << 3 | FIXED64 -> header.handoffId = fixed64();
            case 3 << 3 | FIXED32 -> header.attempt = fixed32();
            case 4 << 3 | FIXED32 -> header.sequenceNumber = fixed32();
            case 5 << 3 | FIXED32 -> header.group = fixed32();
            case 6 << 3 | FIXED32 -> header.layer = fixed32();
            case 7 << 3 | FIXED32 -> header.firstBlock = fixed32();
            case 8 << 3 | FIXED32 -> header.blockCount = fixed32();
            case 9 << 3 | FIXED32 -> header.firstHead = fixed32();
            case 10 << 3 | FIXED32 -> header.headCount = fixed32();
            case 11 << 3 | VARINT -> header.encoding = (int) varint();
            case 12 << 3 | FIXED32 -> header.lastBlockTokens = fixed32();
            case 13 << 3 | LENGTH -> header.hashLength = bytesInto(header.hash, "first_block_hash");
            case 14 << 3 | FIXED32 -> header.crc32c = fixed32();
            case 15 << 3 | LENGTH -> {
                header.hasProgress = true;
                int after = remainingAfter(length());
                while (remaining > after) {
                    progressField(tag());
                }
                requireEnd(after, "progress");
            }
            case 16 << 3 | LENGTH -> {
                header.hasEnd = true;
                int after = remainingAfter(length());
                while (remaining > after) {
                    endField(tag());
                }
                requireEnd(after, "end");
            }
            default -> skip(tag, 0);
        }
    }

    private void progressField(int tag) throws IOException, FrameException {
        switch (tag) {
            case 1 << 3 | VARINT -> header.phase = (int) varint();
            case 2 << 3 | VARINT -> header.queuePosition = (int) varint();
            case 3 << 3 | VARINT -> header.tokensDone = (int) varint();
            case 4 << 3 | VARINT -> header.tokensTotal = (int) varint();
            case 5 << 3 | VARINT -> header.progressCachedTokens = (int) varint();
            case 6 << 3 | VARINT -> header.wireVersion = (int) varint();
            default -> skip(tag, 0);
        }
    }

    private void endField(int tag) throws IOException, FrameException {
        switch (tag) {
            case 1 << 3 | VARINT -> header.units = (int) varint();
            case 2 << 3 | LENGTH -> header.digestLength = bytesInto(header.digest, "units_digest");
            case 3 << 3 | VARINT -> header.queueMicros = varint();
            case 4 << 3 | VARINT -> header.prefixFetchMicros = varint();
            case 5 << 3 | VARINT -> header.computeMicros = varint();
            case 6 << 3 | VARINT -> header.endCachedTokens = (int) varint();
            default -> skip(tag, 0);
        }
    }

    private int remainingAfter(int length) {
        return remaining - length;
    }

    private void requireEnd(int after, String field) throws FrameException {
        if (remaining != after) {
            throw new FrameException(field + " is longer than its length says");
        }
    }

    private int tag() throws IOException, FrameException {
        long tag = varint();
        if (tag >>> 3 == 0 || tag >>> 32 != 0) {
            throw new FrameException("invalid field tag " + tag);
        }
        return (int) tag;
    }

    private void skip(int tag, int depth) throws IOException, FrameException {
        switch (tag & 7) {
            case VARINT -> varint();
            case FIXED64 -> fixed64();
            case LENGTH -> skipBytes(length());
            case FIXED32 -> fixed32();
            case GROUP_START -> {
                if (depth == MAX_GROUP_DEPTH) {
                    throw new FrameException("groups nested deeper than " + MAX_GROUP_DEPTH);
                }
                int inner = tag();
                while ((inner & 7) != GROUP_END) {
                    skip(inner, depth + 1);
                    inner = tag();
                }
                if (inner >>> 3 != tag >>> 3) {
                    throw new FrameException("group %d ends as %d".formatted(tag >>> 3, inner >>> 3));
                }
            }
            default -> throw new FrameException("invalid field tag " + Integer.toUnsignedString(tag));
        }
    }

    private void skipBytes(int count) throws IOException {
        remaining -= count;
        in.skipNBytes(count);
    }

    /** A length that the rest of the frame can hold. */
    private int length() throws IOException, FrameException {
        long length = varint();
        if (length < 0 || length > remaining) {
            throw new FrameException(
                    "a field of %s bytes, but %d are left".formatted(Long.toUnsignedString(length), remaining));
        }
        return (int) length;
    }

    private int bytesInto(byte[] target, String field) throws IOException, FrameException {
        int length = length();
        if (length != 0 && length != target.length) {
            throw new FrameException("%s has %d bytes, expected %d or none".formatted(field, length, target.length));
        }
        for (int i = 0; i < length; i++) {
            target[i] = (byte) next();
        }
        return length;
    }

    private byte[] bytes(int length) throws IOException, FrameException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length != length) {
            throw new FrameException("a frame ends %d bytes early".formatted(length - bytes.length));
        }
        remaining -= length;
        return bytes;
    }

    private long varint() throws IOException, FrameException {
        long value = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            int next = next();
            value |= (long) (next & 0x7F) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        throw new FrameException("a varint of more than 10 bytes");
    }

    private int fixed32() throws IOException, FrameException {
        return next() | next() << 8 | next() << 16 | next() << 24;
    }

    private long fixed64() throws IOException, FrameException {
        return Integer.toUnsignedLong(fixed32()) | Integer.toUnsignedLong(fixed32()) << 32;
    }

    private int next() throws IOException, FrameException {
        int next = remaining > 0 ? in.read() : -1;
        if (next < 0) {
            throw new FrameException("a frame ends in the middle of a field");
        }
        remaining--;
        return next;
    }
}

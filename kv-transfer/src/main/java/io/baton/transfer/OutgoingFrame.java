package io.baton.transfer;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One encoded frame on its way into a call: a view of its sender's reused bytes. A transport that sends copies the
 * bytes within {@code sendMessage}; one that hands the stream itself to the receiver (in-process) is given a copy by
 * {@link #settle}. One thread at a time; the streams it opens may be read by another.
 */
public final class OutgoingFrame {

    private byte[] bytes = new byte[0];
    private int start;
    private int length;
    private @Nullable StatusRuntimeException refusal;
    private @Nullable Bytes opened;

    OutgoingFrame() {}

    void set(byte[] bytes, int start, int length) {
        this.bytes = bytes;
        this.start = start;
        this.length = length;
    }

    int length() {
        return length;
    }

    /**
     * Makes this a frame that cannot be written: sending it resets the stream at once, where closing the call would
     * leave the status queued behind bytes that the peer does not take.
     */
    void refuse(StatusRuntimeException why) {
        refusal = why;
    }

    InputStream open() {
        if (refusal != null) {
            throw refusal;
        }
        opened = new Bytes(bytes, start, length);
        return opened;
    }

    /** Called after sending: the bytes may be overwritten from here on. */
    void settle() {
        if (opened != null) {
            opened.settle();
            opened = null;
        }
    }

    private static final class Bytes extends InputStream implements Drainable, KnownLength {

        private byte[] bytes;
        private int position;
        private int end;

        Bytes(byte[] bytes, int start, int length) {
            this.bytes = bytes;
            this.position = start;
            this.end = start + length;
        }

        synchronized void settle() {
            bytes = Arrays.copyOfRange(bytes, position, end);
            end -= position;
            position = 0;
        }

        @Override
        public synchronized int drainTo(OutputStream target) throws IOException {
            int drained = end - position;
            target.write(bytes, position, drained);
            position = end;
            return drained;
        }

        @Override
        public synchronized int available() {
            return end - position;
        }

        @Override
        public synchronized int read() {
            return position < end ? Byte.toUnsignedInt(bytes[position++]) : -1;
        }

        @Override
        public synchronized int read(byte[] target, int offset, int length) {
            Objects.checkFromIndexSize(offset, length, target.length);
            int count = Math.min(length, end - position);
            if (count == 0) {
                return length == 0 ? 0 : -1;
            }
            System.arraycopy(bytes, position, target, offset, count);
            position += count;
            return count;
        }

        @Override
        public synchronized long skip(long count) {
            int skipped = Math.clamp(count, 0, end - position);
            position += skipped;
            return skipped;
        }

        @Override
        public synchronized void close() {
            position = end;
        }
    }
}

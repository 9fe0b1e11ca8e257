package io.baton.transfer;

import com.google.protobuf.InvalidProtocolBufferException;
import io.baton.proto.v1.KvFrame;
import io.baton.proto.v1.PrefillControl;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A server call that keeps what is sent, as the generated class reads it. */
final class TestingCall extends ServerCall<PrefillControl, OutgoingFrame> {

    final List<byte[]> frames = new ArrayList<>();
    boolean ready = true;
    int capacity = Integer.MAX_VALUE; // frames until it is no longer ready
    boolean cancelled;

    @Nullable
    Status closed;

    @Nullable
    Status reset;

    List<KvFrame> parsed() {
        return frames.stream().map(TestingCall::parse).toList();
    }

    List<KvFrame> parsed(io.baton.proto.v1.FrameKind kind) {
        return parsed().stream().filter(frame -> frame.getKind() == kind).toList();
    }

    private static KvFrame parse(byte[] bytes) {
        try {
            return KvFrame.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void sendMessage(OutgoingFrame frame) {
        try (InputStream in = frame.open()) {
            frames.add(in.readAllBytes());
            if (--capacity <= 0) {
                ready = false;
            }
        } catch (StatusRuntimeException e) {
            reset = e.getStatus();
            cancelled = true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean isReady() {
        return ready;
    }

    @Override
    public boolean isCancelled() {
        return cancelled;
    }

    @Override
    public void close(Status status, Metadata trailers) {
        if (closed != null) {
            throw new IllegalStateException("closed twice");
        }
        closed = status;
    }

    @Override
    public void request(int messages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public MethodDescriptor<PrefillControl, OutgoingFrame> getMethodDescriptor() {
        throw new UnsupportedOperationException();
    }
}

package io.baton.decode;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ServerCall;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** Flips a bit in the last byte of one message; the messages are input streams. */
final class TamperedCall<Q, S> extends SimpleForwardingServerCall<Q, S> {

    private final int victim;
    private int sent;

    TamperedCall(ServerCall<Q, S> call, int victim) {
        super(call);
        this.victim = victim;
    }

    @Override
    @SuppressWarnings("unchecked") // S is InputStream here
    public void sendMessage(S message) {
        if (sent++ != victim) {
            super.sendMessage(message);
            return;
        }
        try {
            byte[] bytes = ((InputStream) message).readAllBytes();
            bytes[bytes.length - 1] ^= 1;
            super.sendMessage((S) new ByteArrayInputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.baton.transfer;

import io.grpc.MethodDescriptor.Marshaller;
import java.io.InputStream;

/** Frames to and from a call's streams, without a message object in between. */
final class FrameMarshaller {

    private FrameMarshaller() {}

    /** The sending side's. */
    static final class Sending implements Marshaller<OutgoingFrame> {

        @Override
        public InputStream stream(OutgoingFrame frame) {
            return frame.open();
        }

        @Override
        public OutgoingFrame parse(InputStream stream) {
            throw new UnsupportedOperationException("a sending node receives no frames");
        }
    }

    /** The receiving side's, one per call: frames of another call can never reach this call's blocks. */
    record Receiving(KvReceiver receiver) implements Marshaller<KvReceiver.Frame> {

        @Override
        public InputStream stream(KvReceiver.Frame frame) {
            throw new UnsupportedOperationException("a receiving node sends no frames");
        }

        @Override
        public KvReceiver.Frame parse(InputStream stream) {
            return receiver.take(stream);
        }
    }
}

package io.baton.transfer;

import io.baton.proto.v1.FetchRequest;
import io.baton.proto.v1.PrefillAck;
import io.baton.proto.v1.PrefillControl;
import io.baton.proto.v1.PrefillGrant;
import io.baton.proto.v1.PrefillStart;
import io.baton.transfer.ReceiveOutcome.Failed;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to receive a sequence's blocks: opens the call, verifies its frames, writes them into the granted target
 * and tells the outcome exactly once. Gives up by itself when no frame comes for {@link ReceivePlan}'s patience.
 *
 * <p>Any thread may call {@link #grant} and {@link #cancel}. Fencing: frames are taken on the call's executor, one at a
 * time; after a cancel the frame being taken may still be written, so failure is told only when the call has closed.
 */
public final class KvReceiver {

    /** What a call delivers for each frame; the frame itself was consumed where it was parsed. */
    enum Frame {
        KV,
        PROGRESS,
        RESULT,
        END,
        /** Came after a failure and was not looked at. */
        DROPPED
    }

    /**
     * Frames asked for ahead, so that the transport need not wait for this side's turn; each is at most 1 MiB or a
     * unit, held beside what the stream's window lets in.
     */
    private static final int FRAMES_AHEAD = 4;

    private record Failure(FailureReason reason, String detail) {}

    private final ReceivePlan plan;
    private final ReceiveListener listener;
    private final Timing timing;
    private final KvIntake intake;
    private final long openedNanos;
    private final Object sending = new Object(); // guards writes of the next four, and sending on the call
    private @Nullable ClientCall<PrefillControl, Frame> control; // a prefill's, for grant and ack
    private volatile @Nullable Failure failure;
    private volatile boolean complete;
    private volatile boolean closed;
    private Consumer<String> cancelCall = why -> {};
    private volatile long lastFrameNanos;
    private volatile @Nullable ScheduledFuture<?> watch;
    private int toldWholeBlocks;

    private KvReceiver(ReceivePlan plan, ReceiveListener listener, Timing timing) {
        this.plan = plan;
        this.listener = listener;
        this.timing = timing;
        this.intake = new KvIntake(plan);
        this.openedNanos = timing.nanoTime().getAsLong();
        this.lastFrameNanos = openedNanos;
        this.toldWholeBlocks = wholeBlocks();
    }

    /**
     * Asks a prefill node for a prompt's KV. Frames with units come after {@link #grant}. The listener may be called
     * before this returns.
     *
     * @param start context, fingerprint and tokens; what the plan says is filled in here
     * @param options deadline and executor; the executor must not be a transport's event loop
     */
    public static KvReceiver prefill(
            Channel channel,
            CallOptions options,
            PrefillStart.Builder start,
            ReceivePlan plan,
            ReceiveListener listener,
            Timing timing) {
        if (plan.fetch()) {
            throw new IllegalArgumentException("a prefill has a result: hidden size must be at least 1, found 0");
        }
        start.getContextBuilder().setAttempt(plan.handoff().attempt());
        start.setHandoffId(plan.handoff().id())
                .setMinWireVersion(plan.versions().oldest())
                .setMaxWireVersion(plan.versions().newest())
                .setTokenIdsCrc32C(PromptChecksum.of(start.getTokenIdsList()))
                .setVerifiedBlocks(plan.held().everyLayer())
                .clearVerifiedBlocksByLayer();
        for (int beyond : plan.held().beyondByLayer()) {
            start.addVerifiedBlocksByLayer(beyond);
        }
        KvReceiver receiver = new KvReceiver(plan, listener, timing);
        ClientCall<PrefillControl, Frame> call =
                channel.newCall(PrefillMethod.client(receiver), receiver.bounded(options));
        synchronized (receiver.sending) {
            receiver.begin(call);
            receiver.control = call;
            call.sendMessage(PrefillControl.newBuilder().setStart(start).build());
        }
        return receiver;
    }

    /** Asks any node for the cached blocks of a prefix, which are written into {@code target}. */
    public static KvReceiver fetch(
            Channel channel,
            CallOptions options,
            FetchRequest.Builder request,
            ReceivePlan plan,
            UnitTarget target,
            ReceiveListener listener,
            Timing timing) {
        if (!plan.fetch()) {
            throw new IllegalArgumentException(
                    "a fetch has no result: hidden size must be 0, found " + plan.hiddenSize());
        }
        if (!plan.held()
                .equals(VerifiedBlocks.whole(
                        plan.held().everyLayer(), plan.shape().layers()))) {
            throw new IllegalArgumentException("a fetch leaves out whole blocks only, found " + plan.held());
        }
        request.getContextBuilder().setAttempt(plan.handoff().attempt());
        request.setHandoffId(plan.handoff().id())
                .setMinWireVersion(plan.versions().oldest())
                .setMaxWireVersion(plan.versions().newest())
                .setFirstBlock(plan.held().everyLayer());
        KvReceiver receiver = new KvReceiver(plan, listener, timing);
        receiver.intake.open(target);
        ClientCall<FetchRequest, Frame> call = channel.newCall(FetchMethod.client(receiver), receiver.bounded(options));
        receiver.begin(call);
        call.sendMessage(request.build());
        call.halfClose();
        return receiver;
    }

    /** Hands over the blocks; from here on units are written into {@code target}. At most once, of a prefill. */
    public void grant(UnitTarget target) {
        intake.open(target);
        send(PrefillControl.newBuilder()
                .setGrant(PrefillGrant.newBuilder().setHandoffId(plan.handoff().id()))
                .build());
    }

    /** Gives up. {@link ReceiveListener#ended} follows when the call has closed, unless it was told already. */
    public void cancel(String why) {
        fail(FailureReason.CANCELLED, why);
    }

    private CallOptions bounded(CallOptions options) {
        return options.withMaxInboundMessageSize(plan.maxFrameBytes());
    }

    private <T> void begin(ClientCall<T, Frame> call) {
        cancelCall = why -> call.cancel(why, null);
        call.start(new FrameListener(call), new Metadata());
        call.request(FRAMES_AHEAD);
        scheduleWatch(plan.patience().toNanos());
    }

    private void send(PrefillControl message) {
        synchronized (sending) {
            if (control != null && !closed && !complete && failure == null) {
                control.sendMessage(message);
            }
        }
    }

    /** END was verified; false when the attempt had been given up before. */
    private boolean finish() {
        synchronized (sending) {
            if (failure != null) {
                return false;
            }
            complete = true;
            if (control != null && !closed) {
                control.sendMessage(PrefillControl.newBuilder()
                        .setAck(PrefillAck.newBuilder()
                                .setHandoffId(plan.handoff().id()))
                        .build());
                control.halfClose();
            }
            return true;
        }
    }

    /** Consumes a frame's bytes. On the call's executor. */
    Frame take(InputStream frame) {
        if (failure != null || closed) {
            return Frame.DROPPED;
        }
        try {
            KvIntake.Kind kind = intake.accept(frame);
            lastFrameNanos = timing.nanoTime().getAsLong();
            return switch (kind) {
                case KV -> Frame.KV;
                case PROGRESS -> Frame.PROGRESS;
                case RESULT -> Frame.RESULT;
                case END -> Frame.END;
            };
        } catch (FrameException e) {
            fail(FailureReason.CORRUPT, plan.handoff() + ": " + e.getMessage());
        } catch (RuntimeException e) {
            fail(FailureReason.FAILED, plan.handoff() + ": the target could not be written: " + e);
        }
        return Frame.DROPPED;
    }

    private void fail(FailureReason reason, String detail) {
        synchronized (sending) {
            if (complete || failure != null) {
                return;
            }
            failure = new Failure(reason, detail);
        }
        cancelCall.accept(detail); // outside the lock: a direct executor closes the call in here
    }

    private int wholeBlocks() {
        return Math.min(intake.blocksInEveryLayer(), plan.shape().wholeBlocks());
    }

    private Duration elapsed() {
        return Duration.ofNanos(timing.nanoTime().getAsLong() - openedNanos);
    }

    private void scheduleWatch(long delayNanos) {
        watch = timing.scheduler().schedule(this::watch, delayNanos, TimeUnit.NANOSECONDS);
    }

    private void watch() {
        if (closed || complete) {
            return;
        }
        long left = plan.patience().toNanos() - (timing.nanoTime().getAsLong() - lastFrameNanos);
        if (left > 0) {
            scheduleWatch(left);
        } else {
            fail(
                    FailureReason.STALLED,
                    "%s: no frame for %d ms"
                            .formatted(plan.handoff(), plan.patience().toMillis()));
        }
    }

    /** The peer has nothing to do but to end the stream. */
    private void boundClosing() {
        watch = timing.scheduler()
                .schedule(
                        () -> {
                            if (!closed) {
                                cancelCall.accept(
                                        plan.handoff() + ": acknowledged, but the peer does not end the stream");
                            }
                        },
                        plan.patience().toNanos(),
                        TimeUnit.NANOSECONDS);
    }

    private final class FrameListener extends ClientCall.Listener<Frame> {

        private final ClientCall<?, Frame> call;

        FrameListener(ClientCall<?, Frame> call) {
            this.call = call;
        }

        @Override
        public void onMessage(Frame frame) {
            switch (frame) {
                case PROGRESS -> listener.progress(intake.progress());
                case KV -> {
                    int whole = wholeBlocks();
                    if (whole > toldWholeBlocks) {
                        toldWholeBlocks = whole;
                        listener.verified(whole);
                    }
                }
                case END -> {
                    if (finish()) {
                        stopWatching();
                        boundClosing();
                        listener.ended(intake.complete(elapsed()));
                    }
                }
                case RESULT, DROPPED -> {}
            }
            call.request(1);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            synchronized (sending) {
                closed = true;
            }
            stopWatching();
            if (!complete) {
                Failure own = failure;
                Failure told = own != null ? own : toldBy(status, trailers);
                listener.ended(new Failed(told.reason(), told.detail(), intake.verified(), intake.received()));
            }
        }

        private Failure toldBy(Status status, Metadata trailers) {
            if (status.isOk()) {
                return new Failure(FailureReason.CORRUPT, plan.handoff() + ": the stream ended without END");
            }
            String description = status.getDescription() == null ? "" : ": " + status.getDescription();
            return new Failure(
                    FailureReason.of(status, trailers),
                    "%s: the peer ended the stream with %s%s".formatted(plan.handoff(), status.getCode(), description));
        }

        private void stopWatching() {
            ScheduledFuture<?> scheduled = watch;
            if (scheduled != null) {
                scheduled.cancel(false);
            }
        }
    }
}

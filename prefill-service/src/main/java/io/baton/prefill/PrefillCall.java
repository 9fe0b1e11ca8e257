package io.baton.prefill;

import io.baton.engine.EngineException;
import io.baton.engine.KvUnits;
import io.baton.engine.PrefillHandle;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillTimes;
import io.baton.proto.v1.PrefillControl;
import io.baton.transfer.KvSender;
import io.baton.transfer.OutgoingFrame;
import io.baton.transfer.SendListener;
import io.baton.transfer.SenderTimes;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call of {@code Prefill}: what the peer says goes to the sender, what the engine says goes to the sender, and whatever
 * ends the stream ends the prefill. The call's callbacks come one at a time; the engine's hold on the blocks ends when
 * the sender reads none any more, and the place among the node's streams when the stream is over.
 */
final class PrefillCall extends ServerCall.Listener<PrefillControl> {

    private static final Logger LOG = LoggerFactory.getLogger(PrefillCall.class);
    private static final int MESSAGES = 3; // Start, Grant, Ack

    private final PrefillService service;
    private final ServerCall<PrefillControl, OutgoingFrame> call;
    private @Nullable KvSender sender;
    private long handoffId;
    private boolean granted;
    private boolean acknowledged;
    private boolean refused;

    PrefillCall(PrefillService service, ServerCall<PrefillControl, OutgoingFrame> call) {
        this.service = service;
        this.call = call;
        call.request(MESSAGES + 1); // one more than belongs to it, so that a message too many is seen and refused
    }

    @Override
    public void onMessage(PrefillControl message) {
        KvSender sending = sender;
        if (refused) {
            return;
        }
        if (sending == null) {
            if (message.hasStart()) {
                start(message);
            } else {
                refuse(Refusal.invalid("control: expected start first, found " + message.getControlCase()));
            }
        } else if (message.hasGrant() && !granted && message.getGrant().getHandoffId() == handoffId) {
            granted = true;
            sending.granted();
        } else if (message.hasAck() && !acknowledged && message.getAck().getHandoffId() == handoffId) {
            acknowledged = true;
            sending.acknowledged();
        } else {
            end(sending, "control: expected one grant and one ack of handoff %016x, found a message too many or of another: %s"
                    .formatted(handoffId, message.getControlCase()));
        }
    }

    private void start(PrefillControl message) {
        PrefillOrder order;
        try {
            service.enter();
        } catch (RefusedException e) {
            refuse(e.refusal());
            return;
        }
        try {
            order = PrefillOrder.of(message.getStart(), service.engine());
        } catch (RefusedException e) {
            service.leave();
            refuse(e.refusal());
            return;
        }
        handoffId = order.plan().handoff().id();
        Computing computing = new Computing(order);
        KvSender opened = KvSender.open(call, order.plan(), service.senders(), service.timing(), computing);
        sender = opened;
        computing.begin(opened);
    }

    private void refuse(Refusal refusal) {
        refused = true;
        call.close(refusal.status(), refusal.trailers());
    }

    private static void end(KvSender sending, String why) {
        Refusal refusal = Refusal.invalid(why);
        sending.failed(refusal.status(), refusal.trailers());
    }

    @Override
    public void onHalfClose() {
        KvSender sending = sender;
        if (sending == null && !refused) {
            refuse(Refusal.invalid("the request ended without a start"));
        } else if (sending != null && !acknowledged) {
            end(sending, "the request ended before the ack");
        }
    }

    @Override
    public void onReady() {
        KvSender sending = sender;
        if (sending != null) {
            sending.ready();
        }
    }

    @Override
    public void onCancel() {
        KvSender sending = sender;
        if (sending != null) {
            sending.cancelled();
        }
    }

    /** Between engine and sender. The engine's scheduler thread, and the sender's. */
    private final class Computing implements PrefillListener, SendListener {

        private final PrefillOrder order;
        private final CompletableFuture<PrefillHandle> prefill = new CompletableFuture<>();
        private final CompletableFuture<KvSender> sending = new CompletableFuture<>();
        private volatile boolean computed;

        Computing(PrefillOrder order) {
            this.order = order;
        }

        void begin(KvSender opened) {
            sending.complete(opened);
            prefill.complete(service.engine().prefill(order.request(), this));
        }

        @Override
        public void queued(int requestsAhead) {
            sender().queued(requestsAhead);
        }

        @Override
        public void started(int cachedBlocks, KvUnits units) {
            sender().started(cachedBlocks, units::unit);
        }

        @Override
        public void layerFinished(int layer, int firstToken, int endToken) {
            sender().layerReady(layer, firstToken, endToken);
        }

        @Override
        public void chunkFinished(int tokensDone) {
            sender().tokensDone(tokensDone);
        }

        @Override
        public void finished(float[] hidden, PrefillTimes times) {
            computed = true;
            sender().finished(hidden, new SenderTimes(times.queued(), Duration.ZERO, times.compute()));
        }

        @Override
        public void failed(EngineException cause) {
            computed = true;
            Refusal refusal = Refusal.of(cause);
            sender().failed(refusal.status(), refusal.trailers());
        }

        private KvSender sender() {
            return sending.join(); // complete before the engine knows this listener
        }

        @Override
        public void released() {
            var _ = prefill.thenAccept(handle -> {
                if (!computed) {
                    handle.cancel(EngineException.Kind.CANCELLED, order.owner() + ": its stream ended");
                }
                handle.release();
            });
        }

        @Override
        public void ended(Status status, int units, long bytes) {
            LOG.debug("{} ended with {} after {} units, {} bytes", order.owner(), status.getCode(), units, bytes);
            if (status.getCode() == Status.Code.INTERNAL) {
                LOG.error("{} failed: {}", order.owner(), status.getDescription(), status.getCause());
            }
            service.leave();
        }
    }
}

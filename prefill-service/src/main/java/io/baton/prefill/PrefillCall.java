package io.baton.prefill;

import io.baton.proto.v1.PrefillControl;
import io.baton.proto.v1.PrefillStart;
import io.baton.transfer.KvSender;
import io.baton.transfer.OutgoingFrame;
import io.grpc.ServerCall;
import org.jspecify.annotations.Nullable;

/**
 * What the peer says in one call of {@code Prefill}: a start, a grant, an acknowledgement, each once and in this order.
 * Once a request is accepted its sender alone writes to the call and ends it. The call's callbacks come one at a time.
 */
final class PrefillCall extends ServerCall.Listener<PrefillControl> {

    /** Start, Grant, Ack, and one more, so that a message too many is seen and refused. */
    private static final int MESSAGES = 4;

    private final PrefillService service;
    private final ServerCall<PrefillControl, OutgoingFrame> call;
    private @Nullable PrefillRelay relay;
    private long handoffId;
    private boolean granted;
    private boolean acknowledged;
    private boolean refused;

    PrefillCall(PrefillService service, ServerCall<PrefillControl, OutgoingFrame> call) {
        this.service = service;
        this.call = call;
        call.request(MESSAGES);
    }

    @Override
    public void onMessage(PrefillControl message) {
        if (refused) {
            return;
        }
        PrefillRelay accepted = relay;
        if (accepted == null) {
            if (message.hasStart()) {
                start(message.getStart());
            } else {
                refuse(Refusal.invalid("control: expected start first, found " + message.getControlCase()));
            }
        } else if (message.hasGrant() && !granted && message.getGrant().getHandoffId() == handoffId) {
            granted = true;
            accepted.granted();
        } else if (message.hasAck()
                && granted
                && !acknowledged
                && message.getAck().getHandoffId() == handoffId) {
            acknowledged = true;
            accepted.acknowledged();
        } else {
            accepted.refuse(Refusal.invalid(
                    "control: expected one grant and then one ack of handoff %016x, found a message too many or of another: %s"
                            .formatted(handoffId, message.getControlCase())));
        }
    }

    private void start(PrefillStart start) {
        try {
            service.enter();
        } catch (RefusedException e) {
            refuse(e.refusal());
            return;
        }
        boolean entered = false;
        try {
            PrefillOrder order = PrefillOrder.of(start, service.engine());
            PrefillRelay opened = new PrefillRelay(service, order);
            handoffId = order.plan().handoff().id();
            KvSender sender = KvSender.open(call, order.plan(), service.senders(), service.timing(), opened);
            entered = true; // from here on the sender's end gives the place back
            relay = opened;
            opened.begin(sender, service.engine());
        } catch (RefusedException e) {
            refuse(e.refusal());
        } finally {
            if (!entered) {
                service.leave();
            }
        }
    }

    private void refuse(Refusal refusal) {
        refused = true;
        call.close(refusal.status(), refusal.trailers());
    }

    @Override
    public void onHalfClose() {
        PrefillRelay accepted = relay;
        if (accepted == null && !refused) {
            refuse(Refusal.invalid("the request ended without a start"));
        } else if (accepted != null && !acknowledged) {
            accepted.refuse(Refusal.invalid("the request ended before the ack"));
        }
    }

    @Override
    public void onReady() {
        PrefillRelay accepted = relay;
        if (accepted != null) {
            accepted.ready();
        }
    }

    @Override
    public void onCancel() {
        PrefillRelay accepted = relay;
        if (accepted != null) {
            accepted.cancelled();
        }
    }
}

package io.baton.gateway;

import io.baton.proto.v1.Reason;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.util.Optional;

/**
 * A decode stream that did not finish.
 *
 * @param node its address
 * @param status what it ended with, for the client if the sequence cannot go on
 * @param reason why it goes on elsewhere, if it does
 * @param nodesFault whether the node is at fault, so that another may do better; a node that merely says no to this
 *     request is not
 */
record Loss(String node, StatusRuntimeException status, Reason reason, boolean nodesFault) {

    static Loss of(StatusException ended, String node) {
        Status status = ended.getStatus();
        Optional<Reason> told = Refusals.reason(ended);
        // A node that names another reason than its own draining could serve, and was forbidden to: no loss of a node.
        boolean nodeLost = told.isEmpty() || told.get() == Reason.REASON_DRAINING;
        return switch (status.getCode()) {
            case UNAVAILABLE, CANCELLED ->
                new Loss(
                        node,
                        unavailable(status, node, ended),
                        told.filter(reason -> nodeLost).orElse(Reason.REASON_DECODE_LOST),
                        nodeLost);
            case RESOURCE_EXHAUSTED -> new Loss(node, passedOn(ended), Reason.REASON_DECODE_OVERLOADED, true);
            case FAILED_PRECONDITION -> new Loss(node, passedOn(ended), Reason.REASON_FINGERPRINT_MISMATCH, true);
            default -> new Loss(node, passedOn(ended), Reason.REASON_UNSPECIFIED, false);
        };
    }

    /**
     * A node that refuses for load or identity does so before its first token; afterwards the same codes mean other
     * things.
     */
    boolean elsewhereMayHelp(boolean relayed) {
        boolean refusal = reason == Reason.REASON_DECODE_OVERLOADED || reason == Reason.REASON_FINGERPRINT_MISMATCH;
        return nodesFault && !(relayed && refusal);
    }

    /** The client did not cancel: whatever the transport calls it, to the client the node is unavailable. */
    private static StatusRuntimeException unavailable(Status status, String node, StatusException ended) {
        return Status.UNAVAILABLE
                .withDescription("decode node %s was lost (%s%s)"
                        .formatted(
                                node,
                                status.getCode(),
                                status.getDescription() == null ? "" : ": " + status.getDescription()))
                .withCause(ended)
                .asRuntimeException(Status.trailersFromThrowable(ended));
    }

    private static StatusRuntimeException passedOn(StatusException ended) {
        return ended.getStatus().asRuntimeException(Status.trailersFromThrowable(ended));
    }
}

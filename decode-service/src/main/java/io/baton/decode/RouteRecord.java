package io.baton.decode;

import io.baton.proto.v1.Reason;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.RouteEvent;
import io.baton.routing.RouteReason;
import io.baton.transfer.FailureReason;
import io.baton.transfer.ReceiveOutcome;

/**
 * Which way one request went, written down as it goes: every fallback leaves an event with its reason. Thread-safe: the
 * request can end while its prefill is still being given up.
 */
final class RouteRecord {

    private final Route.Builder route = Route.newBuilder();
    private final int layers;
    private final int promptTokens;
    private int unitsReceived;

    RouteRecord(String decodeNode, int layers, int promptTokens) {
        this.layers = layers;
        this.promptTokens = promptTokens;
        route.setDecodeNode(decodeNode);
    }

    synchronized void admitted(int cachedTokens) {
        route.setDecodeCachedTokens(Math.min(cachedTokens, promptTokens));
    }

    /** Why prefill runs where it runs, as far as is known; a later fallback replaces it. */
    synchronized void reason(Reason reason) {
        route.setReason(reason);
    }

    synchronized void event(Reason reason, String node, String detail) {
        route.addEvents(RouteEvent.newBuilder().setReason(reason).setNode(node).setDetail(detail));
    }

    /** What one attempt brought, whether it was complete or not. */
    synchronized void received(ReceiveOutcome.Received received) {
        unitsReceived += received.units();
        route.setKvBlocksReceived(unitsReceived / layers);
        route.setKvBytesReceived(route.getKvBytesReceived() + received.bytes());
    }

    /** The prefill node whose KV is used. */
    synchronized void prefilledOn(String node, int cachedTokens) {
        route.setPrefillNode(node);
        route.setPrefillCachedTokens(Math.min(cachedTokens, promptTokens));
    }

    /** Prompt tokens that nobody had to compute: both caches begin at the first token, so the longer one counts. */
    synchronized int cachedTokens() {
        return Math.max(route.getDecodeCachedTokens(), route.getPrefillCachedTokens());
    }

    synchronized Route route() {
        return route.build();
    }

    static Reason reasonOf(RouteReason reason) {
        return switch (reason) {
            case COST_REMOTE -> Reason.REASON_COST_REMOTE;
            case COST_LOCAL -> Reason.REASON_COST_LOCAL;
            case REQUESTED -> Reason.REASON_REQUESTED;
            case CACHED -> Reason.REASON_CACHED;
            case NO_PREFILL_NODE -> Reason.REASON_NO_PREFILL_NODE;
            case DEADLINE_RESERVE -> Reason.REASON_DEADLINE_RESERVE;
        };
    }

    static Reason reasonOf(FailureReason reason) {
        return switch (reason) {
            case UNAVAILABLE, CANCELLED, DEADLINE -> Reason.REASON_PREFILL_UNAVAILABLE;
            case STALLED -> Reason.REASON_PREFILL_STALLED;
            case OVERLOADED -> Reason.REASON_PREFILL_OVERLOADED;
            case DRAINING -> Reason.REASON_DRAINING;
            case CORRUPT -> Reason.REASON_KV_CORRUPT;
            case MISMATCH -> Reason.REASON_FINGERPRINT_MISMATCH;
            case FAILED -> Reason.REASON_PREFILL_FAILED;
        };
    }
}

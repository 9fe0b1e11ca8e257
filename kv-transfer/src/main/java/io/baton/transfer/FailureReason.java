package io.baton.transfer;

import io.baton.proto.v1.Reason;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.Arrays;

/** Why a transfer failed, as far as it decides what to do next. */
public enum FailureReason {
    /** The peer could not be reached, or the stream was reset. */
    UNAVAILABLE(Reason.REASON_PREFILL_UNAVAILABLE.name()),
    /** The peer sent, or accepted, nothing within the bound. */
    STALLED(Reason.REASON_PREFILL_STALLED.name()),
    /** The peer refused for load; nothing was reserved. */
    OVERLOADED(Reason.REASON_PREFILL_OVERLOADED.name()),
    /** The peer is shutting down. */
    DRAINING(Reason.REASON_DRAINING.name()),
    /** A frame was malformed or failed its checksum, geometry, coverage or digest. */
    CORRUPT(Reason.REASON_KV_CORRUPT.name()),
    /** Fingerprints or wire versions differ. */
    MISMATCH(Reason.REASON_FINGERPRINT_MISMATCH.name()),
    /** The call's deadline passed. */
    DEADLINE(""),
    /** {@link KvReceiver#cancel}. */
    CANCELLED(""),
    /** The peer, or this side, failed with a defect or a refusal that no retry changes. */
    FAILED(Reason.REASON_PREFILL_FAILED.name());

    private static final Metadata.Key<String> TRAILER =
            Metadata.Key.of("baton-reason", Metadata.ASCII_STRING_MARSHALLER);

    private final String wireName; // a Reason's; empty where the status says it all

    FailureReason(String wireName) {
        this.wireName = wireName;
    }

    /** Trailers that tell the peer this reason where the status code alone is ambiguous. */
    public Metadata trailers() {
        Metadata trailers = new Metadata();
        if (!wireName.isEmpty()) {
            trailers.put(TRAILER, wireName);
        }
        return trailers;
    }

    /** What a status that the peer or the transport gave means. */
    static FailureReason of(Status status, Metadata trailers) {
        String told = trailers.get(TRAILER);
        return Arrays.stream(values())
                .filter(reason -> !reason.wireName.isEmpty() && reason.wireName.equals(told))
                .findAny()
                .orElseGet(() -> switch (status.getCode()) {
                    case UNAVAILABLE, CANCELLED -> UNAVAILABLE;
                    case RESOURCE_EXHAUSTED -> OVERLOADED;
                    case FAILED_PRECONDITION -> MISMATCH;
                    case DEADLINE_EXCEEDED -> DEADLINE;
                    case ABORTED -> STALLED;
                    case DATA_LOSS -> CORRUPT;
                    default -> FAILED;
                });
    }
}

package io.baton.transfer;

import io.grpc.Metadata;
import io.grpc.Status;
import java.util.Arrays;
import java.util.Optional;

/** Why a transfer failed, as far as it decides what to do next. */
public enum FailureReason {
    /** The peer could not be reached, or the stream was reset. */
    UNAVAILABLE,
    /** The peer sent, or accepted, nothing within the bound. */
    STALLED,
    /** The peer refused for load; nothing was reserved. */
    OVERLOADED,
    /** The peer is shutting down. */
    DRAINING,
    /** A frame was malformed or failed its checksum, geometry, coverage or digest. */
    CORRUPT,
    /** Fingerprints or wire versions differ. */
    MISMATCH,
    /** The call's deadline passed. */
    DEADLINE,
    /** {@link KvReceiver#cancel}. */
    CANCELLED,
    /** The peer, or this side, failed with a defect or a refusal that no retry changes. */
    FAILED;

    private static final Metadata.Key<String> TRAILER = Metadata.Key.of("baton-reason", Metadata.ASCII_STRING_MARSHALLER);

    /** Trailers that tell the peer this reason where the status code alone is ambiguous. */
    public Metadata trailers() {
        Metadata trailers = new Metadata();
        trailers.put(TRAILER, name());
        return trailers;
    }

    /** What a status that the peer or the transport gave means. */
    static FailureReason of(Status status, Metadata trailers) {
        return named(trailers.get(TRAILER)).orElse(switch (status.getCode()) {
            case UNAVAILABLE, CANCELLED -> UNAVAILABLE;
            case RESOURCE_EXHAUSTED -> OVERLOADED;
            case FAILED_PRECONDITION -> MISMATCH;
            case DEADLINE_EXCEEDED -> DEADLINE;
            case ABORTED -> STALLED;
            case DATA_LOSS -> CORRUPT;
            default -> FAILED;
        });
    }

    private static Optional<FailureReason> named(@org.jspecify.annotations.Nullable String name) {
        return Arrays.stream(values()).filter(reason -> reason.name().equals(name)).findAny();
    }
}

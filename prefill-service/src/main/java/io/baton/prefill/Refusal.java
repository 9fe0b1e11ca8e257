package io.baton.prefill;

import io.baton.engine.EngineException;
import io.baton.transfer.FailureReason;
import io.grpc.Metadata;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** How this node says no: a status, and trailers that name the reason where the code alone is ambiguous. */
record Refusal(Status status, Metadata trailers) {

    private static Refusal of(Status status, FailureReason reason, @Nullable String message) {
        return new Refusal(status.withDescription(message), reason.trailers());
    }

    static Refusal draining() {
        return of(Status.UNAVAILABLE, FailureReason.DRAINING, "this prefill node is draining; ask another");
    }

    static Refusal overloaded(@Nullable String message) {
        return of(Status.RESOURCE_EXHAUSTED, FailureReason.OVERLOADED, message);
    }

    static Refusal mismatch(@Nullable String message) {
        return of(Status.FAILED_PRECONDITION, FailureReason.MISMATCH, message);
    }

    static Refusal corrupt(@Nullable String message) {
        return of(Status.DATA_LOSS, FailureReason.CORRUPT, message);
    }

    static Refusal invalid(@Nullable String message) {
        return of(Status.INVALID_ARGUMENT, FailureReason.FAILED, message);
    }

    static Refusal defect(RuntimeException cause) {
        Refusal refusal = of(Status.INTERNAL, FailureReason.FAILED, "the engine failed: " + cause);
        return new Refusal(refusal.status.withCause(cause), refusal.trailers);
    }

    static Refusal outOfRange(@Nullable String message) {
        return of(Status.OUT_OF_RANGE, FailureReason.FAILED, message);
    }

    static Refusal of(EngineException cause) {
        return switch (cause.kind()) {
            case INVALID_ARGUMENT -> invalid(cause.getMessage());
            case OUT_OF_RANGE -> outOfRange(cause.getMessage());
            case UNSUPPORTED_MODEL -> of(Status.UNIMPLEMENTED, FailureReason.FAILED, cause.getMessage());
            case RESOURCE_EXHAUSTED -> overloaded(cause.getMessage());
            case CANCELLED -> new Refusal(Status.CANCELLED.withDescription(cause.getMessage()), new Metadata());
            case DEADLINE_EXCEEDED ->
                new Refusal(Status.DEADLINE_EXCEEDED.withDescription(cause.getMessage()), new Metadata());
            case UNAVAILABLE -> of(Status.UNAVAILABLE, FailureReason.DRAINING, cause.getMessage());
            case INTERNAL -> of(Status.INTERNAL, FailureReason.FAILED, cause.getMessage());
        };
    }
}

package io.baton.decode;

import io.baton.engine.EngineException;
import io.baton.proto.v1.Reason;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/** How this node says no: a status the gateway can act on, with the reason's name where the code alone is ambiguous. */
final class Refusals {

    /** Trailer that names a {@link Reason}. */
    static final Metadata.Key<String> REASON = Metadata.Key.of("baton-reason", Metadata.ASCII_STRING_MARSHALLER);

    private Refusals() {}

    static StatusRuntimeException of(Status status, Reason reason) {
        Metadata trailers = new Metadata();
        trailers.put(REASON, reason.name());
        return status.asRuntimeException(trailers);
    }

    static StatusRuntimeException draining() {
        return of(
                Status.UNAVAILABLE.withDescription("this decode node is draining; ask another"),
                Reason.REASON_DRAINING);
    }

    static StatusRuntimeException of(EngineException cause) {
        Status status = switch (cause.kind()) {
            case INVALID_ARGUMENT -> Status.INVALID_ARGUMENT;
            case OUT_OF_RANGE -> Status.OUT_OF_RANGE;
            case UNSUPPORTED_MODEL -> Status.UNIMPLEMENTED;
            case RESOURCE_EXHAUSTED -> Status.RESOURCE_EXHAUSTED;
            case CANCELLED -> Status.CANCELLED;
            case DEADLINE_EXCEEDED -> Status.DEADLINE_EXCEEDED;
            case UNAVAILABLE -> Status.UNAVAILABLE;
            case INTERNAL -> Status.INTERNAL;
        };
        return status.withDescription(cause.getMessage()).withCause(cause).asRuntimeException();
    }
}

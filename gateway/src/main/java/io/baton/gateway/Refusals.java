package io.baton.gateway;

import io.baton.proto.v1.Reason;
import io.baton.routing.RouteDecision;
import io.baton.serving.Statuses;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/** How the gateway says no: the field, what was found, what was expected. */
final class Refusals {

    /** Trailer in which a node names a {@link Reason}, where the code alone is ambiguous. */
    static final Metadata.Key<String> REASON = Metadata.Key.of("baton-reason", Metadata.ASCII_STRING_MARSHALLER);

    private Refusals() {}

    static StatusRuntimeException invalid(String field, Object found, String expected) {
        return Status.INVALID_ARGUMENT
                .withDescription("%s: found %s, expected %s".formatted(field, found, expected))
                .asRuntimeException();
    }

    static StatusRuntimeException unserved(String field, String instead) {
        return Status.UNIMPLEMENTED
                .withDescription("%s is not served by this version; %s".formatted(field, instead))
                .asRuntimeException();
    }

    static void require(boolean holds, String field, Object found, String expected) {
        if (!holds) {
            throw invalid(field, found, expected);
        }
    }

    /** A router's refusal as a status, with the time to come back in its details where waiting helps. */
    static StatusRuntimeException of(RouteDecision.Refusal refusal) {
        Status.Code code = switch (refusal.cause()) {
            case NO_POOL, NO_DECODE_NODE, NO_PREFILL_NODE -> Status.Code.UNAVAILABLE;
            case NEVER_FITS, DEADLINE, OVERLOADED -> Status.Code.RESOURCE_EXHAUSTED;
        };
        return refusal.retryAfterMillis() > 0
                ? Statuses.retryAfter(code, refusal.detail(), Duration.ofMillis(refusal.retryAfterMillis()))
                : code.toStatus().withDescription(refusal.detail()).asRuntimeException();
    }

    /** The reason a node gave with its status, if it gave one. */
    static Optional<Reason> reason(Throwable thrown) {
        Metadata trailers = Status.trailersFromThrowable(thrown);
        String name = trailers == null ? null : trailers.get(REASON);
        return Arrays.stream(Reason.values())
                .filter(reason -> reason.name().equals(name))
                .findFirst();
    }
}

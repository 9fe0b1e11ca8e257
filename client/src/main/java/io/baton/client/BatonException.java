package io.baton.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A call that did not end as asked. {@link #kind} says what the caller can do about it. */
public final class BatonException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What went wrong, by what can be done about it. */
    public enum Kind {
        /** The request is malformed; the message names the field. */
        INVALID_ARGUMENT,
        /** Unknown model. */
        NOT_FOUND,
        /** The prompt does not fit the context length. */
        OUT_OF_RANGE,
        /** The gateway does not serve a field of the request; the message names it. */
        UNIMPLEMENTED,
        /** What the request refers to is not what the cluster computes, e.g. another fingerprint. */
        FAILED_PRECONDITION,
        /** No credentials, or not sufficient ones. */
        PERMISSION_DENIED,
        /** No node can take the request now; {@link BatonException#retryAfter} says when to come back. */
        OVERLOADED,
        /** The gateway cannot be reached, drains, or lost a node and may not go on elsewhere. */
        UNAVAILABLE,
        DEADLINE_EXCEEDED,
        /** This side cancelled. */
        CANCELLED,
        /** A defect on the other side, or a stream that broke the protocol. */
        INTERNAL
    }

    /** What gRPC says when a server hangs up before anything was said. */
    private static final String CLOSED = "Network closed for unknown reason";

    private final Kind kind;
    private final transient Optional<Duration> retryAfter;

    BatonException(Kind kind, String message, Optional<Duration> retryAfter, Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.retryAfter = retryAfter;
    }

    static BatonException protocol(String message) {
        Status status = Status.INTERNAL.withDescription(message);
        return new BatonException(Kind.INTERNAL, message, Optional.empty(), status.asRuntimeException());
    }

    static BatonException interrupted(InterruptedException cause) {
        return new BatonException(
                Kind.CANCELLED, "CANCELLED: the reading thread was interrupted", Optional.empty(), cause);
    }

    static BatonException of(Status ended, Metadata trailers) {
        // gRPC says UNKNOWN when a connection breaks in the moment in which the call is written to it.
        boolean lost = ended.getCode() == Status.Code.UNKNOWN && ended.getCause() instanceof ClosedChannelException;
        Status status = lost
                ? Status.UNAVAILABLE.withDescription(ended.getDescription()).withCause(ended.getCause())
                : ended;
        String message = status.getCode() + explanation(status);
        return new BatonException(
                kind(status.getCode()), message, retryAfter(status, trailers), status.asRuntimeException(trailers));
    }

    /** What the other side said, or in words of use what gRPC says of a call that never reached it. */
    private static String explanation(Status status) {
        String said = status.getDescription() == null ? "" : status.getDescription();
        Status.Code code = status.getCode();
        if (code == Status.Code.UNIMPLEMENTED && said.startsWith("Method not found")) {
            return ": found no gateway there (%s), expected one; check the address".formatted(said);
        }
        if (code == Status.Code.DEADLINE_EXCEEDED && said.contains("CallOptions deadline")) {
            return ": the deadline passed before the answer was whole; allow more time (%s)".formatted(said);
        }
        if (code == Status.Code.UNAVAILABLE && (status.getCause() != null || said.startsWith(CLOSED))) {
            return ": " + connectionFailure(said, status.getCause());
        }
        return said.isEmpty() ? "" : ": " + said;
    }

    private static String connectionFailure(String said, @Nullable Throwable cause) {
        String reason = said;
        for (Throwable at = cause; at != null; at = at.getCause()) {
            reason = at.getMessage() == null ? reason : at.getMessage();
            if (at instanceof ConnectException || at instanceof UnknownHostException) {
                return "nobody answers (%s); check the address and that a gateway runs there"
                        .formatted(firstLine(reason));
            }
            if (at.getClass().getSimpleName().equals("NotSslRecordException")) { // netty's, shaded
                return "expected TLS, found a gateway that speaks plaintext; connect without TLS";
            }
        }
        return "the connection failed (%s); check that the gateway runs, and TLS on both sides: trusted certificates, names, the client's own certificate"
                .formatted(firstLine(reason));
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }

    private static Kind kind(Status.Code code) {
        return switch (code) {
            case INVALID_ARGUMENT -> Kind.INVALID_ARGUMENT;
            case NOT_FOUND -> Kind.NOT_FOUND;
            case OUT_OF_RANGE -> Kind.OUT_OF_RANGE;
            case UNIMPLEMENTED -> Kind.UNIMPLEMENTED;
            case FAILED_PRECONDITION, ALREADY_EXISTS -> Kind.FAILED_PRECONDITION;
            case PERMISSION_DENIED, UNAUTHENTICATED -> Kind.PERMISSION_DENIED;
            case RESOURCE_EXHAUSTED -> Kind.OVERLOADED;
            case UNAVAILABLE, ABORTED -> Kind.UNAVAILABLE;
            case DEADLINE_EXCEEDED -> Kind.DEADLINE_EXCEEDED;
            case CANCELLED -> Kind.CANCELLED;
            case INTERNAL, UNKNOWN, DATA_LOSS, OK -> Kind.INTERNAL;
        };
    }

    private static Optional<Duration> retryAfter(Status status, Metadata trailers) {
        com.google.rpc.Status details = StatusProto.fromStatusAndTrailers(status, trailers);
        for (Any detail : details.getDetailsList()) {
            if (detail.is(RetryInfo.class)) {
                try {
                    com.google.protobuf.Duration delay =
                            detail.unpack(RetryInfo.class).getRetryDelay();
                    return Optional.of(Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
                } catch (InvalidProtocolBufferException e) {
                    return Optional.empty(); // advice that cannot be read is no advice
                }
            }
        }
        return Optional.empty();
    }

    public Kind kind() {
        return kind;
    }

    /** When the gateway asks to be tried again. */
    public Optional<Duration> retryAfter() {
        return retryAfter;
    }

    /** Whether the same request may succeed later without being changed. */
    public boolean isRetryable() {
        return kind == Kind.OVERLOADED || kind == Kind.UNAVAILABLE;
    }
}

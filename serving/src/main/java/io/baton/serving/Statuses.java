package io.baton.serving;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * The one place where exceptions become gRPC statuses. Each module adds its own family with {@link #with}; whatever no
 * rule names is a defect: INTERNAL, without details that are none of the caller's business. Immutable.
 */
public final class Statuses {

    private record Rule<E extends Throwable>(Class<E> type, Function<? super E, Status> status) {
        Optional<Status> apply(Throwable thrown) {
            return type.isInstance(thrown) ? Optional.of(status.apply(type.cast(thrown))) : Optional.empty();
        }
    }

    private static final Statuses STANDARD = new Statuses(List.of(
            new Rule<>(StatusRuntimeException.class, StatusRuntimeException::getStatus),
            new Rule<>(StatusException.class, StatusException::getStatus),
            new Rule<>(IllegalArgumentException.class, e -> Status.INVALID_ARGUMENT.withDescription(e.getMessage())),
            new Rule<>(UnsupportedOperationException.class, e -> Status.UNIMPLEMENTED.withDescription(e.getMessage())),
            new Rule<>(CancellationException.class, e -> Status.CANCELLED.withDescription(e.getMessage())),
            new Rule<>(TimeoutException.class, e -> Status.DEADLINE_EXCEEDED.withDescription(e.getMessage())),
            new Rule<>(RejectedExecutionException.class, _ -> Status.UNAVAILABLE.withDescription("shutting down"))));

    private final List<Rule<?>> rules; // the first that matches wins

    private Statuses(List<Rule<?>> rules) {
        this.rules = List.copyOf(rules);
    }

    public static Statuses standard() {
        return STANDARD;
    }

    /** These rules, and before them one for {@code type} and its subclasses. */
    public <E extends Throwable> Statuses with(Class<E> type, Function<? super E, Status> status) {
        List<Rule<?>> extended = new ArrayList<>();
        extended.add(new Rule<E>(type, status));
        extended.addAll(rules);
        return new Statuses(extended);
    }

    /** The status of {@code thrown}, which stays its cause. */
    public Status of(Throwable thrown) {
        Throwable real = unwrapped(thrown);
        for (Rule<?> rule : rules) {
            Optional<Status> status = rule.apply(real);
            if (status.isPresent()) {
                return status.get().getCause() == null ? status.get().withCause(real) : status.get();
            }
        }
        return Status.INTERNAL
                .withDescription("internal error (" + real.getClass().getSimpleName() + ")")
                .withCause(real);
    }

    /** What to hand to {@code StreamObserver.onError}; trailers of a status exception are kept. */
    public StatusRuntimeException exception(Throwable thrown) {
        Throwable real = unwrapped(thrown);
        if (real instanceof StatusRuntimeException already) {
            return already;
        }
        return of(real).asRuntimeException();
    }

    /** A refusal that tells the client when to come back, as {@code google.rpc.RetryInfo}. */
    public static StatusRuntimeException retryAfter(Status.Code code, String message, Duration delay) {
        RetryInfo retry = RetryInfo.newBuilder()
                .setRetryDelay(com.google.protobuf.Duration.newBuilder()
                        .setSeconds(delay.getSeconds())
                        .setNanos(delay.getNano()))
                .build();
        return StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                .setCode(code.value())
                .setMessage(message)
                .addDetails(Any.pack(retry))
                .build());
    }

    /** A status in one line for people, with what a failed connection failed of, where gRPC says "io exception". */
    public static String describe(Status status) {
        StringBuilder text = new StringBuilder(status.getCode().name());
        if (status.getDescription() != null) {
            text.append(": ").append(status.getDescription().lines().findFirst().orElse(""));
        }
        Throwable deepest = status.getCause();
        while (deepest != null && deepest.getCause() != null) {
            deepest = deepest.getCause();
        }
        if (deepest != null && deepest.getMessage() != null) {
            text.append(" (")
                    .append(deepest.getMessage().lines().findFirst().orElse(""))
                    .append(')');
        }
        return text.toString();
    }

    private static Throwable unwrapped(Throwable thrown) {
        Throwable real = thrown;
        while ((real instanceof CompletionException || real instanceof ExecutionException) && real.getCause() != null) {
            real = real.getCause();
        }
        return real;
    }
}

package io.baton.serving.telemetry;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;

/** The trace context of the gRPC call that the current thread works for. It travels with {@link io.grpc.Context}. */
public final class Spans {

    static final io.grpc.Context.Key<Context> KEY = io.grpc.Context.key("baton-trace");

    private Spans() {}

    /** The trace context; the root context outside of any call. */
    public static Context current() {
        Context context = KEY.get();
        return context == null ? Context.root() : context;
    }

    /** The call's span; one that records nothing outside of any call. */
    public static Span currentSpan() {
        return Span.fromContext(current());
    }

    /** A gRPC context in which calls made are children of {@code span}. */
    public static io.grpc.Context with(Span span) {
        return io.grpc.Context.current().withValue(KEY, current().with(span));
    }
}

package io.baton.cli.trace;

import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/** Reads the spans of this process as they end. Thread-safe if what it tells is. */
public final class SpanTap implements SpanProcessor {

    private final Consumer<TraceSpan> spans;

    public SpanTap(Consumer<TraceSpan> spans) {
        this.spans = spans;
    }

    @Override
    public void onStart(Context parent, ReadWriteSpan span) {}

    @Override
    public boolean isStartRequired() {
        return false;
    }

    @Override
    public void onEnd(ReadableSpan span) {
        spans.accept(of(span.toSpanData()));
    }

    @Override
    public boolean isEndRequired() {
        return true;
    }

    private static TraceSpan of(SpanData span) {
        Map<String, String> attributes = new HashMap<>();
        span.getAttributes().forEach((key, value) -> attributes.put(key.getKey(), String.valueOf(value)));
        return new TraceSpan(
                span.getTraceId(),
                span.getSpanId(),
                span.getParentSpanContext().isValid() ? span.getParentSpanId() : "",
                span.getName(),
                switch (span.getKind()) {
                    case CLIENT -> TraceSpan.Side.CLIENT;
                    case SERVER -> TraceSpan.Side.SERVER;
                    default -> TraceSpan.Side.NONE;
                },
                Objects.requireNonNullElse(
                        span.getResource()
                                .getAttribute(io.opentelemetry.api.common.AttributeKey.stringKey("service.name")),
                        ""),
                span.getStartEpochNanos(),
                span.getEndEpochNanos(),
                span.getStatus().getStatusCode() == StatusData.error().getStatusCode(),
                attributes);
    }
}

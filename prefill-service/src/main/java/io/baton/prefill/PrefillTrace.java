package io.baton.prefill;

import io.baton.engine.PrefillTimes;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.Clock;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The spans of one prefill under its call's own: {@code prefix_fetch} and then {@code compute}, beside them
 * {@code kv_transfer}, which overlaps the latter. What each layer took is an attribute, not a span of its own. The
 * engine's scheduler thread writes what is computed, the sender's threads what is sent.
 */
final class PrefillTrace {

    private static final AttributeKey<List<Long>> COMPUTED = AttributeKey.longArrayKey("baton.layer.computed_micros");
    private static final AttributeKey<List<Long>> SENT = AttributeKey.longArrayKey("baton.layer.sent_micros");
    private static final Clock CLOCK = Clock.getDefault(); // that of the SDK's own spans

    private final Tracer tracer;
    private final PrefillTelemetry telemetry;
    private final Context parent;
    private final int tokens;
    private final long epochOffset = CLOCK.now() - CLOCK.nanoTime();
    private final AtomicLongArray layerComputed; // when the layer's last token was final so far
    private final AtomicLongArray layerSent; // when the layer's last unit was read so far
    private int cachedTokens;
    private long startedNanos;
    private volatile boolean computing;
    private final AtomicBoolean told = new AtomicBoolean(); // what was computed has its spans
    private volatile long sendingNanos;
    private volatile long acknowledgedNanos;
    private volatile @Nullable Span transfer;

    PrefillTrace(Tracer tracer, PrefillTelemetry telemetry, Context parent, int tokens, int layers) {
        this.tracer = tracer;
        this.telemetry = telemetry;
        this.parent = parent;
        this.tokens = tokens;
        this.layerComputed = new AtomicLongArray(layers);
        this.layerSent = new AtomicLongArray(layers);
    }

    /** The prefix that is cached is held, and computation may start. */
    void computing(int cached) {
        telemetry.lookedUp(tokens, cached);
        cachedTokens = cached;
        startedNanos = CLOCK.nanoTime();
        computing = true;
    }

    /** Further tokens of a layer are final. */
    void computed(int layer) {
        layerComputed.set(layer, CLOCK.nanoTime());
    }

    void computed(PrefillTimes times) {
        long now = CLOCK.nanoTime();
        if (told.compareAndSet(false, true)) {
            prefixFetched(times.prefixLookup().toNanos());
            compute(now - times.compute().toNanos(), now, Status.OK);
        }
    }

    /** The receiver holds blocks: from here on units may be on their way. */
    void sending() {
        sendingNanos = CLOCK.nanoTime();
        transfer = span("kv_transfer", sendingNanos).startSpan();
    }

    /** A unit of a layer is read to be sent. */
    void sent(int layer) {
        layerSent.set(layer, CLOCK.nanoTime());
    }

    /** The receiver has everything: the transfer is over, whatever the call still does. */
    void acknowledged() {
        acknowledgedNanos = CLOCK.nanoTime();
    }

    void ended(Status status, int units, long bytes) {
        long now = CLOCK.nanoTime();
        if (computing && told.compareAndSet(false, true)) {
            prefixFetched(0);
            compute(startedNanos, now, status);
        }
        Span sending = transfer;
        if (sending != null) {
            sending.setAttribute("baton.kv.units", units);
            sending.setAttribute("baton.kv.bytes", bytes);
            sending.setAttribute(SENT, micros(layerSent, sendingNanos));
            end(sending, status.isOk() && acknowledgedNanos != 0 ? acknowledgedNanos : now, status);
        }
        telemetry.ended(status, bytes);
    }

    private void prefixFetched(long tookNanos) {
        span("prefix_fetch", startedNanos - tookNanos)
                .setAttribute("baton.prompt_tokens", tokens)
                .setAttribute("baton.cached_tokens", cachedTokens)
                .setAttribute("baton.prefix.source", cachedTokens > 0 ? "own_cache" : "none")
                .startSpan()
                .end(startedNanos + epochOffset, TimeUnit.NANOSECONDS);
    }

    private void compute(long startNanos, long endNanos, Status status) {
        Span compute = span("compute", startNanos)
                .setAttribute("baton.prompt_tokens", tokens)
                .setAttribute("baton.cached_tokens", cachedTokens)
                .setAttribute(COMPUTED, micros(layerComputed, startNanos))
                .startSpan();
        end(compute, endNanos, status);
    }

    private SpanBuilder span(String name, long startNanos) {
        return tracer.spanBuilder(name)
                .setParent(parent)
                .setStartTimestamp(startNanos + epochOffset, TimeUnit.NANOSECONDS);
    }

    private void end(Span span, long nanos, Status status) {
        if (!status.isOk()) {
            span.setAttribute("error.type", status.getCode().name());
            span.setStatus(StatusCode.ERROR, status.getCode().name());
        }
        span.end(nanos + epochOffset, TimeUnit.NANOSECONDS);
    }

    /** Since {@code startNanos}; 0 for a layer of which nothing was done. */
    private static List<Long> micros(AtomicLongArray nanos, long startNanos) {
        return LongStream.range(0, nanos.length())
                .map(layer -> nanos.get((int) layer))
                .map(at -> at == 0 ? 0 : Math.max(0, TimeUnit.NANOSECONDS.toMicros(at - startNanos)))
                .boxed()
                .toList();
    }
}

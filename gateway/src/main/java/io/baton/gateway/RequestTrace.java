package io.baton.gateway;

import io.baton.proto.v1.RouteEvent;
import io.baton.proto.v1.TtftParts;
import io.baton.proto.v1.Usage;
import io.baton.routing.RouteDecision;
import io.baton.serving.telemetry.GenAiMetrics;
import io.baton.serving.telemetry.Spans;
import io.baton.serving.telemetry.Telemetry;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;

/** What one request leaves in traces and metrics. Confined to the request's thread. */
final class RequestTrace {

    private static final AttributeKey<String> REASON = AttributeKey.stringKey("baton.reason");
    private static final AttributeKey<String> NODE = AttributeKey.stringKey("baton.node");
    private static final AttributeKey<String> DETAIL = AttributeKey.stringKey("baton.detail");

    private final Telemetry telemetry;
    private final GenAiMetrics metrics;
    private final LongCounter fallbacks;
    private final String model;
    private final Context context = Spans.current();

    RequestTrace(Telemetry telemetry, GenAiMetrics metrics, LongCounter fallbacks, String model) {
        this.telemetry = telemetry;
        this.metrics = metrics;
        this.fallbacks = fallbacks;
        this.model = model;
        Span.fromContext(context)
                .setAttribute("gen_ai.operation.name", "text_completion")
                .setAttribute("gen_ai.request.model", model);
    }

    /** What {@link #fellBack} counts. */
    static LongCounter fallbackCounter(Telemetry telemetry) {
        return telemetry
                .meter()
                .counterBuilder("baton.gateway.fallbacks")
                .setDescription("Requests that went on at another decode node, by reason")
                .build();
    }

    /** A decision begins: a span of its own, which {@link #routed} or {@link #refused} ends. */
    Span routing(int attempt) {
        return telemetry
                .tracer()
                .spanBuilder("route")
                .setParent(context)
                .setAttribute("baton.route.attempt", attempt)
                .startSpan();
    }

    /** There is no way in this pool. */
    void refused(Span span, RouteDecision.Refusal refusal) {
        span.setAttribute("error.type", refusal.cause().name());
        span.setStatus(StatusCode.ERROR, refusal.detail());
        span.end();
    }

    /** The decision, with what it was based on. */
    void routed(Span span, RouteDecision.Route route) {
        span.setAttribute("baton.route.decode_node", route.decodeNode());
        span.setAttribute("baton.route.reason", route.reason().name());
        span.setAttribute("baton.route.remote_prefill", route.remote());
        span.setAttribute("baton.route.decode_cached_tokens", route.decodeCachedTokens());
        span.setAttribute(
                "baton.route.estimated_ttft_micros", Math.round(route.costs().ttftMicros()));
        span.setAttribute("baton.route.estimated_itl_micros", Math.round(route.itlMicros()));
        if (!route.prefillNodes().isEmpty()) {
            span.setAttribute(
                    "baton.route.prefill_node", route.prefillNodes().getFirst().node());
            span.setAttribute(
                    "baton.route.prefill_cached_tokens",
                    route.prefillNodes().getFirst().cachedTokens());
        }
        span.end();
    }

    /** The request goes on elsewhere: counted by reason, and an event of its span. */
    void fellBack(RouteEvent event) {
        fallbacks.add(1, Attributes.of(REASON, event.getReason().name()), context);
        Span.fromContext(context)
                .addEvent(
                        "fallback",
                        Attributes.of(
                                REASON, event.getReason().name(), NODE, event.getNode(), DETAIL, event.getDetail()));
    }

    void firstToken(TtftParts parts) {
        metrics.firstToken(model, micros(parts.getTotalMicros()), context);
        Map<String, Long> named = Map.of(
                "gateway", parts.getGatewayMicros(),
                "route", parts.getRouteMicros(),
                "decode_admission", parts.getDecodeAdmissionMicros(),
                "prefill_queue", parts.getPrefillQueueMicros(),
                "prefix_fetch", parts.getPrefixFetchMicros(),
                "prefill_compute", parts.getPrefillComputeMicros(),
                "exposed_transfer", parts.getExposedTransferMicros(),
                "first_step", parts.getFirstStepMicros(),
                "unattributed", parts.getUnattributedMicros());
        Span span = Span.fromContext(context);
        span.setAttribute("baton.ttft.total_micros", parts.getTotalMicros());
        named.forEach((part, took) -> {
            metrics.firstTokenPart(model, part, micros(took), context);
            span.setAttribute("baton.ttft." + part + "_micros", took);
        });
    }

    void finished(Usage usage) {
        Span.fromContext(context)
                .setAttribute("gen_ai.usage.input_tokens", usage.getPromptTokens())
                .setAttribute("gen_ai.usage.cache_read.input_tokens", usage.getCachedTokens())
                .setAttribute("gen_ai.usage.output_tokens", usage.getOutputTokens());
    }

    /** @param relayedTokens of the longest answer, those the client came with not counted */
    void ended(FirstToken first, int relayedTokens, Status status) {
        Duration total = Duration.ofNanos(first.elapsed());
        metrics.requestEnded(
                model,
                total,
                status.isOk() ? Optional.empty() : Optional.of(status.getCode().name()),
                context);
        if (status.isOk() && first.isWritten()) {
            metrics.outputTokens(model, total.minus(micros(first.parts().getTotalMicros())), relayedTokens, context);
        }
    }

    private static Duration micros(long count) {
        return Duration.of(count, ChronoUnit.MICROS);
    }
}

package io.baton.gateway;

import io.baton.proto.v1.TtftParts;
import io.baton.routing.RouteDecision;
import io.baton.serving.telemetry.GenAiMetrics;
import io.baton.serving.telemetry.Spans;
import io.baton.serving.telemetry.Telemetry;
import io.grpc.Status;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;

/** What one request leaves in traces and metrics. Confined to the request's thread. */
final class RequestTrace {

    private final Telemetry telemetry;
    private final GenAiMetrics metrics;
    private final String model;
    private final Context context = Spans.current();

    RequestTrace(Telemetry telemetry, GenAiMetrics metrics, String model) {
        this.telemetry = telemetry;
        this.metrics = metrics;
        this.model = model;
    }

    /** A span of its own for the decision, with what it was based on. */
    void routed(RouteDecision.Route route, int attempt) {
        Span span = telemetry.tracer().spanBuilder("route").setParent(context).startSpan();
        span.setAttribute("baton.route.attempt", attempt);
        span.setAttribute("baton.route.decode_node", route.decodeNode());
        span.setAttribute("baton.route.reason", route.reason().name());
        span.setAttribute("baton.route.remote_prefill", route.remote());
        span.setAttribute("baton.route.decode_cached_tokens", route.decodeCachedTokens());
        span.setAttribute("baton.route.estimated_ttft_micros", Math.round(route.costs().ttftMicros()));
        span.setAttribute("baton.route.estimated_itl_micros", Math.round(route.itlMicros()));
        if (!route.prefillNodes().isEmpty()) {
            span.setAttribute("baton.route.prefill_node", route.prefillNodes().getFirst().node());
            span.setAttribute(
                    "baton.route.prefill_cached_tokens",
                    route.prefillNodes().getFirst().cachedTokens());
        }
        span.end();
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

    void ended(FirstToken first, int outputTokens, Status status) {
        Duration total = Duration.ofNanos(first.elapsed());
        metrics.requestEnded(
                model,
                total,
                status.isOk() ? Optional.empty() : Optional.of(status.getCode().name()),
                context);
        if (status.isOk() && first.isWritten()) {
            metrics.outputTokens(model, total.minus(micros(first.parts().getTotalMicros())), outputTokens, context);
        }
    }

    private static Duration micros(long count) {
        return Duration.of(count, ChronoUnit.MICROS);
    }
}

package io.baton.serving.telemetry;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The server histograms of the OpenTelemetry GenAI conventions, with their buckets, in seconds. Recorded where the
 * request is received, with the trace context of the request, so that buckets carry exemplars.
 */
public final class GenAiMetrics {

    static final List<Double> REQUEST_DURATION_SECONDS =
            List.of(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);
    static final List<Double> TIME_TO_FIRST_TOKEN_SECONDS =
            List.of(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0);
    static final List<Double> TIME_PER_OUTPUT_TOKEN_SECONDS =
            List.of(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5);

    private static final AttributeKey<String> OPERATION = AttributeKey.stringKey("gen_ai.operation.name");
    private static final AttributeKey<String> PROVIDER = AttributeKey.stringKey("gen_ai.provider.name");
    private static final AttributeKey<String> MODEL = AttributeKey.stringKey("gen_ai.request.model");
    private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
    private static final AttributeKey<String> PART = AttributeKey.stringKey("baton.ttft.part");

    private final DoubleHistogram requestDuration;
    private final DoubleHistogram timeToFirstToken;
    private final DoubleHistogram timePerOutputToken;
    private final DoubleHistogram firstTokenPart;

    public GenAiMetrics(Telemetry telemetry) {
        requestDuration = histogram(
                telemetry,
                "gen_ai.server.request.duration",
                "Time from receipt to the end of the stream",
                REQUEST_DURATION_SECONDS);
        timeToFirstToken = histogram(
                telemetry,
                "gen_ai.server.time_to_first_token",
                "Time from receipt to the first token",
                TIME_TO_FIRST_TOKEN_SECONDS);
        timePerOutputToken = histogram(
                telemetry,
                "gen_ai.server.time_per_output_token",
                "Mean time per token after the first",
                TIME_PER_OUTPUT_TOKEN_SECONDS);
        firstTokenPart = histogram(
                telemetry,
                "baton.server.time_to_first_token.part",
                "One part of the time to the first token",
                TIME_TO_FIRST_TOKEN_SECONDS);
    }

    /** One request that ended; {@code error} is its gRPC status name when it failed. */
    public void requestEnded(String model, Duration duration, Optional<String> error, Context context) {
        AttributesBuilder attributes = common(model).toBuilder();
        error.ifPresent(name -> attributes.put(ERROR, name));
        requestDuration.record(seconds(duration), attributes.build(), context);
    }

    public void firstToken(String model, Duration sinceReceipt, Context context) {
        timeToFirstToken.record(seconds(sinceReceipt), common(model), context);
    }

    /** One named part of a request's TTFT. */
    public void firstTokenPart(String model, String part, Duration duration, Context context) {
        firstTokenPart.record(
                seconds(duration), common(model).toBuilder().put(PART, part).build(), context);
    }

    /** {@code (duration - time to first token) / (outputTokens - 1)}; nothing to say about fewer than two tokens. */
    public void outputTokens(String model, Duration afterFirst, long outputTokens, Context context) {
        if (outputTokens > 1) {
            timePerOutputToken.record(seconds(afterFirst) / (outputTokens - 1), common(model), context);
        }
    }

    private static Attributes common(String model) {
        return Attributes.of(OPERATION, "text_completion", PROVIDER, "baton", MODEL, model);
    }

    private static DoubleHistogram histogram(
            Telemetry telemetry, String name, String description, List<Double> buckets) {
        return telemetry
                .meter()
                .histogramBuilder(name)
                .setUnit("s")
                .setDescription(description)
                .setExplicitBucketBoundariesAdvice(buckets)
                .build();
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}

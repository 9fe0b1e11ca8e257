package io.baton.serving.telemetry;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Where traces and metrics go.
 *
 * @param serviceName {@code service.name} of every span and metric, e.g. {@code baton-decode}
 * @param instanceId {@code service.instance.id}
 * @param otlpEndpoint URL of an OTLP/gRPC receiver, e.g. {@code http://localhost:4317}; empty exports nothing
 * @param sampleRatio share of new traces that are recorded, 0 to 1; a caller's own decision is kept
 * @param prometheusHost address the metrics endpoint listens on
 * @param prometheusPort port of the metrics endpoint; 0 picks a free one, empty opens none
 * @param attributes further resource attributes
 */
public record TelemetrySettings(
        String serviceName,
        String instanceId,
        Optional<String> otlpEndpoint,
        double sampleRatio,
        String prometheusHost,
        OptionalInt prometheusPort,
        Map<String, String> attributes) {

    public TelemetrySettings {
        if (!(sampleRatio >= 0 && sampleRatio <= 1)) {
            throw new IllegalArgumentException("otlp-sample-ratio must be between 0 and 1, found " + sampleRatio);
        }
        attributes = Map.copyOf(attributes);
    }

    /** Exports nothing and listens nowhere. */
    public static TelemetrySettings silent(String serviceName, String instanceId) {
        return new TelemetrySettings(
                serviceName, instanceId, Optional.empty(), 1, "127.0.0.1", OptionalInt.empty(), Map.of());
    }
}

package io.baton.serving.telemetry;

import io.baton.serving.ServingException;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.exporter.prometheus.PrometheusHttpServer;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SdkTracerProviderBuilder;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The OpenTelemetry SDK of one service in one process. Closing it flushes what is still buffered. */
public final class Telemetry implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Telemetry.class);
    private static final String SCOPE = "io.baton";
    private static final Duration TRACE_DELAY = Duration.ofSeconds(1);
    private static final Duration METRIC_INTERVAL = Duration.ofSeconds(10);
    private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(5);

    private final OpenTelemetrySdk sdk;
    private final PrometheusRegistry prometheus;

    private Telemetry(OpenTelemetrySdk sdk, PrometheusRegistry prometheus) {
        this.sdk = sdk;
        this.prometheus = prometheus;
    }

    /** Starts the SDK; spans also go to {@code processors} (tests and the terminal's waterfall read them there). */
    public static Telemetry start(TelemetrySettings settings, List<SpanProcessor> processors) {
        Resource resource = resource(settings);
        SdkTracerProviderBuilder tracers = SdkTracerProvider.builder()
                .setResource(resource)
                .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(settings.sampleRatio())));
        processors.forEach(tracers::addSpanProcessor);
        SdkMeterProviderBuilder meters = SdkMeterProvider.builder().setResource(resource);
        settings.otlpEndpoint().ifPresent(endpoint -> {
            tracers.addSpanProcessor(BatchSpanProcessor.builder(
                            OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).build())
                    .setScheduleDelay(TRACE_DELAY)
                    .build());
            meters.registerMetricReader(PeriodicMetricReader.builder(OtlpGrpcMetricExporter.builder()
                            .setEndpoint(endpoint)
                            .build())
                    .setInterval(METRIC_INTERVAL)
                    .build());
            log.info("telemetry: traces and metrics of {} go to {}", settings.serviceName(), endpoint);
        });
        PrometheusRegistry registry = new PrometheusRegistry();
        settings.prometheusPort().ifPresent(port -> {
            meters.registerMetricReader(prometheusServer(settings.prometheusHost(), port, registry));
            log.info(
                    "telemetry: metrics of {} at http://{}:{}/metrics",
                    settings.serviceName(),
                    settings.prometheusHost(),
                    port);
        });
        return new Telemetry(
                OpenTelemetrySdk.builder()
                        .setTracerProvider(tracers.build())
                        .setMeterProvider(meters.build())
                        .build(),
                registry);
    }

    /** Records nothing. */
    public static Telemetry silent() {
        return start(TelemetrySettings.silent("baton", ""), List.of());
    }

    public Tracer tracer() {
        return sdk.getTracer(SCOPE);
    }

    public Meter meter() {
        return sdk.getMeter(SCOPE);
    }

    /** What the Prometheus endpoint serves beside the meter's instruments. */
    PrometheusRegistry prometheus() {
        return prometheus;
    }

    @Override
    public void close() {
        sdk.shutdown().join(FLUSH_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static PrometheusHttpServer prometheusServer(String host, int port, PrometheusRegistry registry) {
        try {
            return PrometheusHttpServer.builder()
                    .setHost(host)
                    .setPort(port)
                    .setPrometheusRegistry(registry)
                    .build();
        } catch (UncheckedIOException e) {
            throw new ServingException(
                    "cannot serve metrics on %s:%d (%s); if the port is taken, choose another with --metrics-port (0 picks a free one)"
                            .formatted(host, port, e.getMessage()),
                    e);
        }
    }

    private static Resource resource(TelemetrySettings settings) {
        AttributesBuilder attributes = Attributes.builder()
                .put("service.name", settings.serviceName())
                .put("service.instance.id", settings.instanceId());
        settings.attributes().forEach(attributes::put);
        return Resource.getDefault().merge(Resource.create(attributes.build()));
    }
}

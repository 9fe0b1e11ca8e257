package io.baton.serving.telemetry;

import io.baton.serving.ServingException;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.exporter.prometheus.PrometheusMetricReader;
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
import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
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
    private final Optional<HTTPServer> metrics;
    private final Optional<String> metricsAddress;

    private Telemetry(
            TelemetrySettings settings,
            OpenTelemetrySdk sdk,
            PrometheusRegistry prometheus,
            Optional<HTTPServer> metrics) {
        this.sdk = sdk;
        this.prometheus = prometheus;
        this.metrics = metrics;
        this.metricsAddress = metrics.map(server -> settings.prometheusHost() + ":" + server.getPort());
        metricsAddress.ifPresent(
                address -> log.info("telemetry: metrics of {} at http://{}/metrics", settings.serviceName(), address));
    }

    /**
     * Starts the SDK; spans also go to {@code processors} (tests and the terminal's waterfall read them there).
     *
     * @throws ServingException if the metrics endpoint cannot listen; says what to change
     */
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
        Optional<HTTPServer> metrics = Optional.empty();
        if (settings.prometheusPort().isPresent()) {
            metrics = Optional.of(metricsServer(
                    settings.prometheusHost(), settings.prometheusPort().getAsInt(), registry));
            PrometheusMetricReader reader = PrometheusMetricReader.create();
            registry.register(reader);
            meters.registerMetricReader(reader);
        }
        OpenTelemetrySdk sdk = OpenTelemetrySdk.builder()
                .setTracerProvider(tracers.build())
                .setMeterProvider(meters.build())
                .build();
        return new Telemetry(settings, sdk, registry, metrics);
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

    /** HOST:PORT of the metrics endpoint, with the port that it got if it was to pick one; empty if there is none. */
    public Optional<String> metricsAddress() {
        return metricsAddress;
    }

    /** What the metrics endpoint serves beside the meter's instruments. */
    PrometheusRegistry prometheus() {
        return prometheus;
    }

    @Override
    public void close() {
        sdk.shutdown().join(FLUSH_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        metrics.ifPresent(HTTPServer::stop);
    }

    private static HTTPServer metricsServer(String host, int port, PrometheusRegistry registry) {
        try {
            return HTTPServer.builder()
                    .hostname(host)
                    .port(port)
                    .registry(registry)
                    .buildAndStart();
        } catch (IOException e) {
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

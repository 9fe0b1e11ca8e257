package io.baton.e2e.trace;

import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.collector.metrics.v1.MetricsServiceGrpc;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.TraceServiceGrpc;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;

/** A collector of OTLP over gRPC that keeps what it gets: every span, and of each metric whatever was said of it. */
final class OtlpReceiver implements AutoCloseable {

    /** A span and the {@code service.name} of the process it is from. */
    record Exported(String service, Span span) {}

    private final Queue<Exported> spans = new ConcurrentLinkedQueue<>();
    private final Map<String, Map<String, List<Metric>>> metrics = new ConcurrentHashMap<>(); // by service and name
    private final Server server;

    private OtlpReceiver() throws IOException {
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(new Traces())
                .addService(new Metrics())
                .build()
                .start();
    }

    static OtlpReceiver start() throws IOException {
        return new OtlpReceiver();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getPort();
    }

    List<Exported> spans() {
        return List.copyOf(spans);
    }

    /** What a service said last of a metric; the default instance when it said nothing. */
    Metric metric(String service, String name) {
        List<Metric> exported = exported(service, name);
        return exported.isEmpty() ? Metric.getDefaultInstance() : exported.getLast();
    }

    /** All that a service said of a metric, in order. Numbers add up over time; exemplars are in one export each. */
    List<Metric> exported(String service, String name) {
        return metrics.getOrDefault(service, Map.of()).getOrDefault(name, List.of());
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    private static String service(Resource resource) {
        return resource.getAttributesList().stream()
                .filter(attribute -> attribute.getKey().equals("service.name"))
                .map(KeyValue::getValue)
                .findFirst()
                .orElseThrow()
                .getStringValue();
    }

    private final class Traces extends TraceServiceGrpc.TraceServiceImplBase {
        @Override
        public void export(ExportTraceServiceRequest request, StreamObserver<ExportTraceServiceResponse> observer) {
            request.getResourceSpansList()
                    .forEach(process -> process.getScopeSpansList()
                            .forEach(scope -> scope.getSpansList()
                                    .forEach(span -> spans.add(new Exported(service(process.getResource()), span)))));
            observer.onNext(ExportTraceServiceResponse.getDefaultInstance());
            observer.onCompleted();
        }
    }

    private final class Metrics extends MetricsServiceGrpc.MetricsServiceImplBase {
        @Override
        public void export(ExportMetricsServiceRequest request, StreamObserver<ExportMetricsServiceResponse> observer) {
            request.getResourceMetricsList()
                    .forEach(process -> process.getScopeMetricsList()
                            .forEach(scope -> scope.getMetricsList()
                                    .forEach(metric -> metrics.computeIfAbsent(
                                                    service(process.getResource()), _ -> new ConcurrentHashMap<>())
                                            .computeIfAbsent(metric.getName(), _ -> new CopyOnWriteArrayList<>())
                                            .add(metric))));
            observer.onNext(ExportMetricsServiceResponse.getDefaultInstance());
            observer.onCompleted();
        }
    }
}

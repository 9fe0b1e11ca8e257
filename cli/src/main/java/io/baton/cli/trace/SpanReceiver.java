package io.baton.cli.trace;

import com.google.protobuf.ByteString;
import io.baton.serving.GrpcServer;
import io.baton.serving.ListenSettings;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.collector.metrics.v1.MetricsServiceGrpc;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.TraceServiceGrpc;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * An OTLP/gRPC receiver: takes the spans that processes started with {@code --otlp-endpoint} export. Their metrics are
 * taken too, so that no exporter complains, and dropped. Thread-safe if what it tells is.
 */
public final class SpanReceiver implements AutoCloseable {

    private final GrpcServer server;

    private SpanReceiver(GrpcServer server) {
        this.server = server;
    }

    /** Listens; throws {@link io.baton.serving.ServingException} saying what to change when it cannot. */
    public static SpanReceiver start(ListenSettings listen, Consumer<TraceSpan> spans) {
        return new SpanReceiver(GrpcServer.builder("trace", listen)
                .service(new Traces(spans))
                .service(new Metrics())
                .start());
    }

    public int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.close();
    }

    private static final class Traces extends TraceServiceGrpc.TraceServiceImplBase {

        private final Consumer<TraceSpan> spans;

        Traces(Consumer<TraceSpan> spans) {
            this.spans = spans;
        }

        @Override
        public void export(ExportTraceServiceRequest request, StreamObserver<ExportTraceServiceResponse> observer) {
            for (ResourceSpans process : request.getResourceSpansList()) {
                String service =
                        texts(process.getResource().getAttributesList()).getOrDefault("service.name", "");
                for (ScopeSpans scope : process.getScopeSpansList()) {
                    scope.getSpansList().forEach(span -> spans.accept(of(span, service)));
                }
            }
            observer.onNext(ExportTraceServiceResponse.getDefaultInstance());
            observer.onCompleted();
        }
    }

    private static final class Metrics extends MetricsServiceGrpc.MetricsServiceImplBase {

        @Override
        public void export(ExportMetricsServiceRequest request, StreamObserver<ExportMetricsServiceResponse> observer) {
            observer.onNext(ExportMetricsServiceResponse.getDefaultInstance());
            observer.onCompleted();
        }
    }

    private static TraceSpan of(Span span, String service) {
        return new TraceSpan(
                hex(span.getTraceId()),
                hex(span.getSpanId()),
                hex(span.getParentSpanId()),
                span.getName(),
                switch (span.getKind()) {
                    case SPAN_KIND_CLIENT -> TraceSpan.Side.CLIENT;
                    case SPAN_KIND_SERVER -> TraceSpan.Side.SERVER;
                    default -> TraceSpan.Side.NONE;
                },
                service,
                span.getStartTimeUnixNano(),
                span.getEndTimeUnixNano(),
                span.getStatus().getCode() == Status.StatusCode.STATUS_CODE_ERROR,
                texts(span.getAttributesList()));
    }

    private static String hex(ByteString id) {
        return HexFormat.of().formatHex(id.toByteArray());
    }

    private static Map<String, String> texts(List<KeyValue> attributes) {
        Map<String, String> texts = new HashMap<>();
        for (KeyValue attribute : attributes) {
            AnyValue value = attribute.getValue();
            switch (value.getValueCase()) {
                case STRING_VALUE -> texts.put(attribute.getKey(), value.getStringValue());
                case INT_VALUE -> texts.put(attribute.getKey(), String.valueOf(value.getIntValue()));
                case BOOL_VALUE -> texts.put(attribute.getKey(), String.valueOf(value.getBoolValue()));
                case DOUBLE_VALUE -> texts.put(attribute.getKey(), String.valueOf(value.getDoubleValue()));
                default -> {} // nothing that is drawn
            }
        }
        return texts;
    }
}

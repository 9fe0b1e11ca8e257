package io.baton.serving.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeGrpc;
import io.baton.proto.v1.DecodeRequest;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TelemetryTest {

    @Test
    void oneTraceSpansTheCallOnBothSidesWithNoEventPerMessage() throws Exception {
        InMemorySpanExporter spans = InMemorySpanExporter.create();
        List<SpanData> finished;
        try (Telemetry telemetry =
                Telemetry.start(TelemetrySettings.silent("test", "1"), List.of(SimpleSpanProcessor.create(spans)))) {
            Span root = telemetry.tracer().spanBuilder("root").startSpan();
            call(telemetry, root, 200, Status.OK);
            root.end();
            finished = spans.getFinishedSpanItems(); // closing forgets them
        }
        SpanData root = named(finished, "root", SpanKind.INTERNAL);
        SpanData client = named(finished, "decode", SpanKind.CLIENT);
        SpanData server = named(finished, "decode", SpanKind.SERVER);
        assertThat(client.getTraceId()).isEqualTo(root.getTraceId()).isEqualTo(server.getTraceId());
        assertThat(client.getParentSpanId()).isEqualTo(root.getSpanId());
        assertThat(server.getParentSpanId()).isEqualTo(client.getSpanId());
        assertThat(client.getEvents()).isEmpty();
        assertThat(server.getEvents()).isEmpty();
    }

    @Test
    void aFailedCallEndsItsSpanWithTheStatus() throws Exception {
        InMemorySpanExporter spans = InMemorySpanExporter.create();
        List<SpanData> finished;
        try (Telemetry telemetry =
                Telemetry.start(TelemetrySettings.silent("test", "1"), List.of(SimpleSpanProcessor.create(spans)))) {
            Span root = telemetry.tracer().spanBuilder("root").startSpan();
            assertThatThrownBy(() -> call(telemetry, root, 1, Status.RESOURCE_EXHAUSTED.withDescription("full")))
                    .isInstanceOf(StatusRuntimeException.class);
            finished = spans.getFinishedSpanItems(); // closing forgets them
        }
        SpanData server = named(finished, "decode", SpanKind.SERVER);
        assertThat(server.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(server.getAttributes().asMap().toString()).contains("error.type=RESOURCE_EXHAUSTED");
    }

    @Test
    void metricsAreServedUnderTheConventionsNamesAndTheFieldsOwn() throws Exception {
        TelemetrySettings settings =
                new TelemetrySettings("test", "1", Optional.empty(), 1, "127.0.0.1", OptionalInt.of(0), Map.of());
        try (Telemetry telemetry = Telemetry.start(settings, List.of())) {
            NodeMetrics.register(telemetry, "m", () -> new NodeSample(32, 100, 25, 10, 65, 3, 4, 5, 6, 7));
            NodeMetrics.registerKernels(telemetry, "vector");
            GenAiMetrics metrics = new GenAiMetrics(telemetry);
            metrics.firstToken("m", Duration.ofMillis(42), Context.root());
            metrics.requestEnded("m", Duration.ofMillis(142), Optional.empty(), Context.root());
            metrics.outputTokens("m", Duration.ofMillis(100), 11, Context.root());
            String page = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://%s/metrics"
                                            .formatted(
                                                    telemetry.metricsAddress().orElseThrow())))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
            assertThat(page)
                    .contains("gen_ai_server_time_to_first_token_seconds_bucket")
                    .contains("le=\"0.06\"")
                    .contains("gen_ai_server_request_duration_seconds_count")
                    .contains("gen_ai_server_time_per_output_token_seconds_sum")
                    .contains("baton_kv_blocks_used")
                    .containsPattern("baton_engine_kernels\\{baton_kernels=\"vector\".*} 1")
                    .containsPattern("vllm:num_requests_waiting\\{model_name=\"m\"} 4")
                    .containsPattern("vllm:kv_cache_usage_perc\\{model_name=\"m\"} 0.25");
        }
    }

    private static void call(Telemetry telemetry, Span root, int messages, Status end) throws Exception {
        TraceInterceptors interceptors = new TraceInterceptors(telemetry);
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(ServerInterceptors.intercept(new Scripted(messages, end), interceptors.server()))
                .build()
                .start();
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort())
                .usePlaintext()
                .intercept(interceptors.client())
                .build();
        try {
            Spans.with(root).call(() -> {
                stub(channel).decode(DecodeRequest.getDefaultInstance()).forEachRemaining(event -> {});
                return true;
            });
        } finally {
            channel.shutdownNow();
            server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
    }

    private static DecodeGrpc.DecodeBlockingStub stub(Channel channel) {
        return DecodeGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS);
    }

    private static SpanData named(List<SpanData> spans, String name, SpanKind kind) {
        return spans.stream()
                .filter(span -> span.getName().equals(name) && span.getKind() == kind)
                .findFirst()
                .orElseThrow();
    }

    private static final class Scripted extends DecodeGrpc.DecodeImplBase {

        private final int messages;
        private final Status end;

        Scripted(int messages, Status end) {
            this.messages = messages;
            this.end = end;
        }

        @Override
        public void decode(DecodeRequest request, StreamObserver<DecodeEvent> events) {
            for (int i = 0; i < messages; i++) {
                events.onNext(DecodeEvent.getDefaultInstance());
            }
            if (end.isOk()) {
                events.onCompleted();
            } else {
                events.onError(end.asRuntimeException());
            }
        }
    }
}

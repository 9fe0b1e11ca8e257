package io.baton.gateway;

import static io.baton.gateway.GatewayFixture.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.RouteEvent;
import io.baton.routing.RouteDecision;
import io.baton.serving.telemetry.Telemetry;
import io.baton.serving.telemetry.TelemetrySettings;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a request leaves in traces and metrics that does not go as first chosen. */
class RequestTraceTest {

    private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("baton.route.attempt");
    private static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");

    private final InMemorySpanExporter spans = InMemorySpanExporter.create();
    private final Telemetry telemetry = Telemetry.start( // closed by the fixture
            new TelemetrySettings(
                    "baton-gateway", "test", Optional.empty(), 1, "127.0.0.1", OptionalInt.of(0), Map.of()),
            List.of(SimpleSpanProcessor.create(spans)));

    @Test
    void aFallbackIsAnEventACountAndAFieldOfTheResponseWithOneReason() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        ScriptedNode.Script script = call -> {
            if (calls.getAndIncrement() == 0) {
                call.token(0, 100);
                call.events().onError(Status.UNAVAILABLE.withDescription("gone").asRuntimeException());
            } else {
                call.answer();
            }
        };
        try (ScriptedNode one = ScriptedNode.decode(script);
                ScriptedNode two = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(telemetry, one, two)) {
            List<GenerateEvent> events = fixture.generate(request(4));
            RouteEvent told = events.getLast().getFinished().getRoute().getEvents(0);
            assertThat(only("generate", SpanKind.SERVER).getEvents())
                    .singleElement()
                    .satisfies(event -> {
                        assertThat(event.getName()).isEqualTo("fallback");
                        assertThat(event.getAttributes().asMap())
                                .containsOnly(
                                        attribute(
                                                "baton.reason", told.getReason().name()),
                                        attribute("baton.node", told.getNode()),
                                        attribute("baton.detail", told.getDetail()));
                    });
            assertThat(metrics(telemetry))
                    .containsPattern("baton_gateway_fallbacks_total\\{.*baton_reason=\"REASON_DECODE_LOST\".*} 1");
            assertThat(named("route", SpanKind.INTERNAL))
                    .extracting(span -> span.getAttributes().get(ATTEMPT))
                    .containsExactly(1L, 2L);
            assertThat(named("decode", SpanKind.CLIENT))
                    .extracting(span -> span.getStatus().getStatusCode())
                    .containsExactly(StatusCode.ERROR, StatusCode.UNSET);
        }
    }

    @Test
    void aRouteThatIsRefusedIsAnErrorOfItsSpanAndOfTheRequests() throws Exception {
        try (ScriptedNode lost =
                        ScriptedNode.decode(call -> call.events().onError(Status.UNAVAILABLE.asRuntimeException()));
                GatewayFixture fixture = GatewayFixture.over(telemetry, lost)) {
            assertThat(fixture.refusal(request(4)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            List<SpanData> routes = named("route", SpanKind.INTERNAL);
            assertThat(routes)
                    .extracting(span -> span.getStatus().getStatusCode())
                    .containsExactly(StatusCode.UNSET, StatusCode.ERROR);
            assertThat(routes.getLast().getAttributes().get(ERROR))
                    .isEqualTo(RouteDecision.Cause.NO_DECODE_NODE.name());
            SpanData generate = only("generate", SpanKind.SERVER);
            assertThat(generate.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
            assertThat(generate.getAttributes().get(ERROR)).isEqualTo("UNAVAILABLE");
            assertThat(generate.getEvents()).as("it went nowhere else").isEmpty();
            assertThat(metrics(telemetry))
                    .containsPattern("gen_ai_server_request_duration_seconds_count\\{.*error_type=\"UNAVAILABLE\".*} 1")
                    .doesNotContain("baton_gateway_fallbacks_total{");
        }
    }

    @Test
    void severalAnswersAreOneRequestOfTheTrace() throws Exception {
        try (ScriptedNode node = ScriptedNode.decode(call -> {
                    call.token(0, 0, 100);
                    call.token(1, 0, 200);
                    call.choiceFinished(0, "");
                    call.token(1, 1, 201);
                    call.finish(1, 3);
                });
                GatewayFixture fixture = GatewayFixture.over(telemetry, node)) {
            fixture.generate(request(2, b -> b.setChoices(2)));
            SpanData generate = only("generate", SpanKind.SERVER);
            assertThat(generate.getAttributes().get(AttributeKey.longKey("gen_ai.usage.output_tokens")))
                    .isEqualTo(3);
            only("decode", SpanKind.CLIENT);
            assertThat(metrics(telemetry))
                    .containsPattern("gen_ai_server_time_to_first_token_seconds_count\\{.*} 1")
                    .containsPattern("gen_ai_server_request_duration_seconds_count\\{.*} 1");
        }
    }

    private SpanData only(String name, SpanKind kind) {
        List<SpanData> found = named(name, kind);
        assertThat(found).as(name).hasSize(1);
        return found.getFirst();
    }

    /** In the order of their beginnings. */
    private List<SpanData> named(String name, SpanKind kind) {
        return spans.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals(name) && span.getKind() == kind)
                .sorted(Comparator.comparingLong(SpanData::getStartEpochNanos))
                .toList();
    }

    private static Map.Entry<AttributeKey<?>, Object> attribute(String key, String value) {
        return Map.entry(AttributeKey.stringKey(key), value);
    }

    private static String metrics(Telemetry telemetry) throws IOException, InterruptedException {
        URI page = URI.create(
                "http://%s/metrics".formatted(telemetry.metricsAddress().orElseThrow()));
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(page).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }
}

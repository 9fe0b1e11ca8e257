package io.baton.decode;

import static io.baton.proto.v1.FallbackPolicy.FALLBACK_POLICY_LOCAL_PREFILL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.baton.proto.v1.Reason;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.RouteEvent;
import io.baton.serving.telemetry.Telemetry;
import io.baton.serving.telemetry.TelemetrySettings;
import io.baton.transfer.FailureReason;
import io.grpc.Status;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DecodeTelemetryTest {

    @Test
    void eachFallbackIsAnEventACountAndAFieldOfTheResponseWithOneReason() throws Exception {
        InMemorySpanExporter spans = InMemorySpanExporter.create();
        TelemetrySettings settings = new TelemetrySettings(
                "baton-decode", "test", Optional.empty(), 1, "127.0.0.1", OptionalInt.of(0), Map.of());
        try (ScriptedPrefillNode busy = ScriptedPrefillNode.refusing(
                        Status.RESOURCE_EXHAUSTED.withDescription("queue full"), FailureReason.OVERLOADED);
                ScriptedPrefillNode corrupting = ScriptedPrefillNode.corrupting(3);
                Telemetry telemetry = Telemetry.start(settings, List.of(SimpleSpanProcessor.create(spans)));
                NodeUnderTest decode = new NodeUnderTest(
                        List.of(busy.address(), corrupting.address()), UnaryOperator.identity(), telemetry)) {
            Route route = decode.ask(NodeUnderTest.remote(FALLBACK_POLICY_LOCAL_PREFILL, busy, corrupting))
                    .finished()
                    .getRoute();
            assertThat(route.getEventsList())
                    .extracting(RouteEvent::getReason)
                    .containsExactly(Reason.REASON_PREFILL_OVERLOADED, Reason.REASON_KV_CORRUPT);
            assertThat(call(spans).getEvents())
                    .extracting(EventData::getName, EventData::getAttributes)
                    .containsExactlyElementsOf(route.getEventsList().stream()
                            .map(told -> tuple("fallback", attributes(told)))
                            .toList());
            assertThat(metrics(telemetry))
                    .containsPattern("baton_decode_fallbacks_total\\{.*baton_reason=\"REASON_PREFILL_OVERLOADED\".*} 1")
                    .containsPattern("baton_decode_fallbacks_total\\{.*baton_reason=\"REASON_KV_CORRUPT\".*} 1")
                    .containsPattern("baton_decode_prefills_total\\{.*baton_reason=\"REASON_KV_CORRUPT\".*} 1");
        }
    }

    private static Attributes attributes(RouteEvent told) {
        return Attributes.builder()
                .put("baton.reason", told.getReason().name())
                .put("baton.node", told.getNode())
                .put("baton.detail", told.getDetail())
                .build();
    }

    /** The span of the one request, which has ended when its answer has. */
    private static SpanData call(InMemorySpanExporter spans) {
        List<SpanData> found = spans.getFinishedSpanItems().stream()
                .filter(span -> span.getKind() == SpanKind.SERVER)
                .toList();
        assertThat(found).hasSize(1);
        return found.getFirst();
    }

    private static String metrics(Telemetry telemetry) throws IOException, InterruptedException {
        URI page = URI.create(
                "http://%s/metrics".formatted(telemetry.metricsAddress().orElseThrow()));
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(page).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }
}

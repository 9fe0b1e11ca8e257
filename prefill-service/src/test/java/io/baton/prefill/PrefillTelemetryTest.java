package io.baton.prefill;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.prefill.PrefillUnderTest.Received;
import io.baton.serving.ListenSettings;
import io.baton.serving.telemetry.Telemetry;
import io.baton.serving.telemetry.TelemetrySettings;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PrefillTelemetryTest {

    private static final class Spans implements SpanProcessor {

        final BlockingQueue<SpanData> ended = new LinkedBlockingQueue<>();

        @Override
        public void onStart(Context parent, ReadWriteSpan span) {}

        @Override
        public boolean isStartRequired() {
            return false;
        }

        @Override
        public void onEnd(ReadableSpan span) {
            ended.add(span.toSpanData());
        }

        @Override
        public boolean isEndRequired() {
            return true;
        }

        SpanData next() {
            try {
                return Objects.requireNonNull(ended.poll(10, TimeUnit.SECONDS), "no span ended in time");
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void aPrefillLeavesWhatItFetchedComputedAndSentUnderTheCallsSpan() throws Exception {
        Spans spans = new Spans();
        ScriptedEngine engine = new ScriptedEngine();
        engine.cachedBlocks = 1;
        try (Telemetry telemetry = Telemetry.start(TelemetrySettings.silent("baton-prefill", "test"), List.of(spans))) {
            PrefillUnderTest under = new PrefillUnderTest(PrefillNode.start(
                    PrefillSettings.of("prefill", ListenSettings.loopback(), engine.options()),
                    engine,
                    telemetry,
                    new Random(5)));
            try {
                Received received =
                        under.receive(under.ask(IntStream.range(0, 50).toArray()));
                received.complete();
                Map<String, SpanData> byName = Stream.generate(spans::next)
                        .limit(4)
                        .collect(Collectors.toMap(SpanData::getName, Function.identity()));
                String call = named(byName, "prefill").getSpanId();
                SpanData compute = named(byName, "compute");
                SpanData transfer = named(byName, "kv_transfer");
                SpanData fetch = named(byName, "prefix_fetch");
                assertThat(fetch.getParentSpanId()).isEqualTo(call);
                assertThat(fetch.getEndEpochNanos() - fetch.getStartEpochNanos())
                        .as("as long as the engine said")
                        .isEqualTo(1_000_000);
                assertThat(attribute(fetch, "baton.cached_tokens")).isEqualTo(16);
                assertThat(compute.getParentSpanId()).isEqualTo(call);
                assertThat(compute.getEndEpochNanos() - compute.getStartEpochNanos())
                        .isEqualTo(3_000_000);
                assertThat(layers(compute, "baton.layer.computed_micros"))
                        .hasSize(engine.shape().layers());
                assertThat(layers(transfer, "baton.layer.sent_micros"))
                        .hasSize(engine.shape().layers())
                        .allMatch(micros ->
                                micros <= (transfer.getEndEpochNanos() - transfer.getStartEpochNanos()) / 1_000 + 1);
                assertThat(transfer.getParentSpanId()).isEqualTo(call);
                assertThat(attribute(compute, "baton.cached_tokens")).isEqualTo(16);
                assertThat(attribute(transfer, "baton.kv.units")).isEqualTo(12);
                assertThat(attribute(transfer, "baton.kv.bytes")).isEqualTo(12 * engine.unitBytes());
            } finally {
                under.close();
            }
        }
    }

    private static SpanData named(Map<String, SpanData> spans, String name) {
        return Objects.requireNonNull(spans.get(name), () -> name + " is not among " + spans.keySet());
    }

    private static List<Long> layers(SpanData span, String name) {
        return Objects.requireNonNull(span.getAttributes().get(AttributeKey.longArrayKey(name)), name);
    }

    private static long attribute(SpanData span, String name) {
        return Objects.requireNonNull(span.getAttributes().get(AttributeKey.longKey(name)), name);
    }
}

package io.baton.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.serving.telemetry.Telemetry;
import io.baton.serving.telemetry.TelemetrySettings;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Context;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TraceCommandTest {

    @Test
    void whatProcessesExportIsDrawnRequestByRequest() throws Exception {
        BatonUnderTest baton = BatonUnderTest.plain();
        CompletableFuture<Integer> code = CompletableFuture.supplyAsync(
                () -> baton.run("trace", "--port=0", "--count=1", "--width=80"),
                task -> Thread.ofVirtual().start(task));
        String printed = baton.firstLine();
        assertThat(printed).matches("trace otlp 127\\.0\\.0\\.1:[1-9]\\d*");
        String address = printed.substring(printed.lastIndexOf(' ') + 1);
        String trace;
        try (Telemetry gateway = telemetry("baton-gateway", address);
                Telemetry decode = telemetry("baton-decode", address)) {
            Span generate = gateway.tracer()
                    .spanBuilder("generate")
                    .setSpanKind(SpanKind.SERVER)
                    .startSpan();
            trace = generate.getSpanContext().getTraceId();
            Span call = child(gateway, generate, SpanKind.CLIENT);
            child(decode, call, SpanKind.SERVER).end();
            call.end();
            generate.setAttribute("baton.ttft.total_micros", 12_345)
                    .setAttribute("baton.ttft.gateway_micros", 12_345)
                    .end();
        } // closing exports what is buffered
        assertThat(code.get(30, TimeUnit.SECONDS)).as(baton.err()).isZero();
        assertThat(baton.out().lines())
                .startsWith(printed, "", "trace " + trace)
                .anyMatch(line -> line.matches("first token after +12\\.345 ms"))
                .anyMatch(line -> line.matches("  gateway +12\\.345 ms █+"))
                .anyMatch(line -> line.matches("  generate +gateway +[0-9.]+ ms █+"))
                .anyMatch(line -> line.matches("    decode +decode +[0-9.]+ ms +[█░▏▎▍▌▋▊▉]+"));
    }

    @Test
    void aNumberThatMakesNoSenseIsRefusedByName() {
        for (String wrong : List.of("--port=70000", "--count=0", "--width=5")) {
            BatonUnderTest baton = BatonUnderTest.plain();
            assertThat(baton.run("trace", wrong)).isEqualTo(2);
            assertThat(baton.err()).contains(wrong.substring(0, wrong.indexOf('=')) + ": expected");
        }
    }

    private static Span child(Telemetry telemetry, Span parent, SpanKind kind) {
        return telemetry
                .tracer()
                .spanBuilder("decode")
                .setSpanKind(kind)
                .setParent(Context.root().with(parent))
                .startSpan();
    }

    private static Telemetry telemetry(String service, String address) {
        return Telemetry.start(
                new TelemetrySettings(
                        service, "1", Optional.of("http://" + address), 1, "127.0.0.1", OptionalInt.empty(), Map.of()),
                List.of());
    }
}

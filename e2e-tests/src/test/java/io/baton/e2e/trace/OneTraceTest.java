package io.baton.e2e.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import io.baton.client.BatonClient;
import io.baton.client.BatonException;
import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.Generation;
import io.baton.client.GenerationResult;
import io.baton.client.PrefillMode;
import io.baton.e2e.BatonProcess;
import io.baton.e2e.trace.OtlpReceiver.Exported;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.HistogramDataPoint;
import io.opentelemetry.proto.trace.v1.Span;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * One request through a gateway, a prefill node and a decode node, each a process of its own, and what a receiver of
 * OTLP gets of it until they have stopped.
 */
@TestInstance(Lifecycle.PER_CLASS)
@Timeout(180)
class OneTraceTest {

    private static final String GATEWAY = "baton-gateway";
    private static final String PREFILL = "baton-prefill";
    private static final String DECODE = "baton-decode";
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int OUTPUT_TOKENS = 8;

    private OtlpReceiver receiver;
    private GenerationResult result;
    private String decodeMetrics;
    private String gatewayMetrics;
    private List<Exported> trace;

    @BeforeAll
    void generateOnceAndStopEverything(@TempDir Path folder) throws Exception {
        receiver = OtlpReceiver.start();
        List<BatonProcess> processes = new ArrayList<>();
        try {
            String otlp = "--otlp-endpoint=" + receiver.endpoint();
            BatonProcess prefill =
                    started(processes, folder, "prefill", otlp, "--pool-bytes=8MiB", "--block-tokens=16");
            String prefillNodes = "--prefill-nodes=" + address(prefill);
            BatonProcess decode =
                    started(processes, folder, "decode", otlp, "--pool-bytes=8MiB", "--block-tokens=16", prefillNodes);
            BatonProcess gateway =
                    started(processes, folder, "gateway", otlp, prefillNodes, "--decode-nodes=" + address(decode));
            result = generated(address(gateway));
            decodeMetrics = decode.metrics("text/plain");
            gatewayMetrics = gateway.metrics("application/openmetrics-text");
            processes.forEach(BatonProcess::terminate);
            for (BatonProcess process : processes) {
                assertThat(process.exitCode(SOON)).isZero(); // what was buffered is exported by then
            }
        } finally {
            processes.forEach(BatonProcess::close);
        }
        ByteString id = receiver.spans().stream()
                .filter(exported -> exported.span().getName().equals("generate"))
                .map(Exported::span)
                .filter(span -> attributes(span).containsKey("baton.ttft.total_micros"))
                .map(Span::getTraceId)
                .reduce((one, other) -> {
                    throw new AssertionError("one answer, but more than one trace of one");
                })
                .orElseThrow();
        trace = receiver.spans().stream()
                .filter(exported -> exported.span().getTraceId().equals(id))
                .toList();
    }

    @AfterAll
    void close() {
        receiver.close();
    }

    @Test
    void oneRequestIsOneTraceOverThreeProcesses() {
        assertThat(trace.stream().map(this::place))
                .as("each span under its parent, and nothing else")
                .containsExactlyInAnyOrder(
                        "baton-gateway generate server of nothing",
                        "baton-gateway route internal of generate server",
                        "baton-gateway decode client of generate server",
                        "baton-decode decode server of decode client",
                        "baton-decode prefill client of decode server",
                        "baton-prefill prefill server of prefill client",
                        "baton-prefill prefix_fetch internal of prefill server",
                        "baton-prefill compute internal of prefill server",
                        "baton-prefill kv_transfer internal of prefill server");
    }

    @Test
    void everySpanLiesWithinItsParent() {
        long tolerance = 1_000_000; // clocks of one machine, read at the two ends of a call
        for (Exported exported : trace) {
            Span span = exported.span();
            assertThat(span.getEndTimeUnixNano())
                    .as(place(exported))
                    .isGreaterThanOrEqualTo(span.getStartTimeUnixNano());
            if (!span.getParentSpanId().isEmpty()) {
                Span parent = byId(span.getParentSpanId());
                assertThat(span.getStartTimeUnixNano())
                        .as(place(exported))
                        .isGreaterThan(parent.getStartTimeUnixNano() - tolerance);
                assertThat(span.getEndTimeUnixNano())
                        .as(place(exported))
                        .isLessThan(parent.getEndTimeUnixNano() + tolerance);
            }
        }
        Span fetch = only("prefix_fetch");
        Span compute = only("compute");
        Span transfer = only("kv_transfer");
        assertThat(compute.getStartTimeUnixNano()).isGreaterThanOrEqualTo(fetch.getEndTimeUnixNano());
        assertThat(transfer.getEndTimeUnixNano()).isGreaterThan(compute.getStartTimeUnixNano());
    }

    @Test
    void layersAndMessagesAreNoSpansAndNoEvents() {
        assertThat(trace)
                .allSatisfy(exported -> assertThat(exported.span().getEventsList())
                        .as(place(exported))
                        .isEmpty());
        List<Long> computed = longs(only("compute"), "baton.layer.computed_micros");
        List<Long> sent = longs(only("kv_transfer"), "baton.layer.sent_micros");
        assertThat(computed)
                .as("one after the other")
                .hasSizeGreaterThan(1)
                .isSorted()
                .allMatch(micros -> micros > 0);
        assertThat(sent).hasSameSizeAs(computed).allMatch(micros -> micros > 0);
        assertThat(number(only("kv_transfer"), "baton.kv.bytes"))
                .isEqualTo(result.route().kvBytesReceived())
                .isPositive();
        assertThat(number(only("compute"), "baton.prompt_tokens"))
                .isEqualTo(result.usage().promptTokens());
    }

    @Test
    void thePartsOfTheFirstTokenSumToItInTheResponse() {
        Duration sum = result.ttft().byName().values().stream().reduce(Duration.ZERO, Duration::plus);
        assertThat(sum).isEqualTo(result.ttft().total()).isPositive();
        assertThat(result.ttft().byName())
                .allSatisfy((part, time) -> assertThat(time).as(part).isGreaterThanOrEqualTo(Duration.ZERO));
        assertThat(result.ttft().prefillCompute()).isPositive();
        assertThat(result.ttft().exposedTransfer()).isPositive();
    }

    @Test
    void theTraceSaysTheSameOfThem() {
        Span generate = only("generate");
        assertThat(number(generate, "baton.ttft.total_micros"))
                .isEqualTo(micros(result.ttft().total()));
        result.ttft()
                .byName()
                .forEach((part, time) -> assertThat(number(generate, "baton.ttft." + snake(part) + "_micros"))
                        .as(part)
                        .isEqualTo(micros(time)));
        // Measured on the prefill node, and told to the decode node with the KV.
        assertThat(length(only("compute")))
                .isCloseTo(1_000 * micros(result.ttft().prefillCompute()), within(1_000L));
        assertThat(length(only("prefix_fetch")))
                .isCloseTo(1_000 * micros(result.ttft().prefixFetch()), within(1_000L));
        assertThat(number(generate, "gen_ai.usage.output_tokens")).isEqualTo(OUTPUT_TOKENS);
        assertThat(number(generate, "gen_ai.usage.input_tokens"))
                .isEqualTo(result.usage().promptTokens());
    }

    @Test
    void theMetricsSayTheSameOfThem() {
        HistogramDataPoint first = only(points("gen_ai.server.time_to_first_token"));
        assertThat(first.getCount()).isEqualTo(1);
        assertThat(first.getSum()).isCloseTo(seconds(result.ttft().total()), within(1e-9));
        Map<String, Double> parts = new TreeMap<>();
        for (HistogramDataPoint point : points("baton.server.time_to_first_token.part")) {
            String part = attributes(point.getAttributesList())
                    .getOrDefault("baton.ttft.part", AnyValue.getDefaultInstance())
                    .getStringValue();
            assertThat(point.getCount()).as(part).isEqualTo(1);
            parts.put(part, point.getSum());
        }
        Map<String, Double> told = new TreeMap<>();
        result.ttft().byName().forEach((part, time) -> told.put(snake(part), seconds(time)));
        assertThat(parts).containsOnlyKeys(told.keySet());
        told.forEach((part, took) ->
                assertThat(parts.getOrDefault(part, -1.0)).as(part).isCloseTo(took, within(1e-9)));
    }

    @Test
    void theServerHistogramsAreThoseOfTheConventions() {
        Map.of(
                        "gen_ai.server.time_to_first_token",
                        List.of(
                                0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5,
                                10.0),
                        "gen_ai.server.time_per_output_token",
                        List.of(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
                        "gen_ai.server.request.duration",
                        List.of(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92))
                .forEach((name, bounds) -> {
                    assertThat(receiver.metric(GATEWAY, name).getUnit()).isEqualTo("s");
                    HistogramDataPoint point = only(points(name).stream()
                            .filter(OneTraceTest::isOfAnAnswer)
                            .toList());
                    assertThat(point.getExplicitBoundsList()).as(name).isEqualTo(bounds);
                    assertThat(attributes(point.getAttributesList()).keySet())
                            .as(name)
                            .contains("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model");
                    assertThat(receiver.exported(GATEWAY, name).stream()
                                    .flatMap(metric -> metric.getHistogram().getDataPointsList().stream())
                                    .filter(OneTraceTest::isOfAnAnswer)
                                    .flatMap(each -> each.getExemplarsList().stream()))
                            .as("the bucket of %s leads to the trace", name)
                            .singleElement()
                            .satisfies(exemplar -> assertThat(exemplar.getTraceId())
                                    .isEqualTo(only("generate").getTraceId()));
                });
    }

    @Test
    void poolsAndQueuesOfBothTiersAreGauges() {
        for (String tier : List.of(PREFILL, DECODE)) {
            for (String gauge : List.of(
                    "baton.kv.blocks.capacity",
                    "baton.kv.blocks.used",
                    "baton.kv.blocks.cached",
                    "baton.kv.blocks.free",
                    "baton.kv.usage",
                    "baton.sequences.running",
                    "baton.sequences.waiting",
                    "baton.prefill.queued")) {
                assertThat(receiver.metric(tier, gauge).getGauge().getDataPointsList())
                        .as(tier + " " + gauge)
                        .hasSize(1);
            }
            assertThat(gauge(tier, "baton.kv.blocks.used")).as("all ended").isZero();
            assertThat(gauge(tier, "baton.kv.blocks.cached")).isPositive();
            assertThat(gauge(tier, "baton.kv.blocks.cached") + gauge(tier, "baton.kv.blocks.free"))
                    .isEqualTo(gauge(tier, "baton.kv.blocks.capacity"));
        }
    }

    @Test
    void prometheusServesThemToo() {
        assertThat(decodeMetrics)
                .contains("baton_kv_blocks_capacity", "baton_kv_blocks_cached", "baton_sequences_waiting")
                .contains("vllm:num_requests_waiting{", "vllm:num_requests_running{", "vllm:kv_cache_usage_perc{");
        assertThat(gatewayMetrics)
                .contains("gen_ai_server_time_to_first_token_seconds_bucket{", "le=\"0.001\"", "le=\"7.5\"")
                .containsPattern("gen_ai_server_time_to_first_token_seconds_bucket\\{.*# \\{.*trace_id=\""
                        + hex(only("generate").getTraceId()) + "\"");
    }

    private static BatonProcess started(List<BatonProcess> processes, Path folder, String... arguments) {
        String role = arguments[0];
        BatonProcess process = BatonProcess.start(role, folder.resolve(role + ".log"), List.of(arguments));
        processes.add(process);
        return process;
    }

    private static String address(BatonProcess process) {
        return "127.0.0.1:" + process.port().join();
    }

    /** As soon as the gateway knows both tiers; what it refuses before never gets a first token. */
    private static GenerationResult generated(String gateway) {
        GenerateSpec spec = GenerateSpec.text("This is the story of Tom, a shy boy who lived on a small island.")
                .prefillMode(PrefillMode.REMOTE)
                .fallback(Fallback.FAIL)
                .ignoreEos(true)
                .maxTokens(OUTPUT_TOKENS)
                .deadline(SOON)
                .build();
        long end = System.nanoTime() + SOON.toNanos();
        try (BatonClient client = BatonClient.connect(gateway)) {
            while (true) {
                try (Generation generation = client.generate(spec)) {
                    generation.forEach(_ -> {});
                    return generation.result();
                } catch (BatonException notYet) {
                    if (System.nanoTime() > end) {
                        throw notYet;
                    }
                }
            }
        }
    }

    private String place(Exported exported) {
        Span span = exported.span();
        String parent = span.getParentSpanId().isEmpty() ? "nothing" : nameAndKind(byId(span.getParentSpanId()));
        return exported.service() + " " + nameAndKind(span) + " of " + parent;
    }

    private static String nameAndKind(Span span) {
        return span.getName() + " "
                + span.getKind().name().substring("SPAN_KIND_".length()).toLowerCase(Locale.ROOT);
    }

    private Span byId(ByteString id) {
        return only(spans().filter(span -> span.getSpanId().equals(id)).toList());
    }

    /** The span of this name, of a call the one on the called side. */
    private Span only(String name) {
        return only(spans().filter(span -> span.getName().equals(name))
                .filter(span -> span.getKind() != Span.SpanKind.SPAN_KIND_CLIENT)
                .toList());
    }

    private Stream<Span> spans() {
        return trace.stream().map(Exported::span);
    }

    private static <T> T only(List<T> one) {
        assertThat(one).hasSize(1);
        return one.getFirst();
    }

    private static boolean isOfAnAnswer(HistogramDataPoint point) {
        return !attributes(point.getAttributesList()).containsKey("error.type");
    }

    private List<HistogramDataPoint> points(String metric) {
        return receiver.metric(GATEWAY, metric).getHistogram().getDataPointsList();
    }

    private double gauge(String service, String name) {
        var point = only(receiver.metric(service, name).getGauge().getDataPointsList());
        return point.hasAsInt() ? point.getAsInt() : point.getAsDouble();
    }

    private static Map<String, AnyValue> attributes(Span span) {
        return attributes(span.getAttributesList());
    }

    private static Map<String, AnyValue> attributes(List<KeyValue> attributes) {
        return attributes.stream().collect(Collectors.toMap(KeyValue::getKey, KeyValue::getValue));
    }

    private static long number(Span span, String attribute) {
        assertThat(attributes(span)).containsKey(attribute);
        return attributes(span)
                .getOrDefault(attribute, AnyValue.getDefaultInstance())
                .getIntValue();
    }

    private static List<Long> longs(Span span, String attribute) {
        return attributes(span)
                .getOrDefault(attribute, AnyValue.getDefaultInstance())
                .getArrayValue()
                .getValuesList()
                .stream()
                .map(AnyValue::getIntValue)
                .toList();
    }

    private static long length(Span span) {
        return span.getEndTimeUnixNano() - span.getStartTimeUnixNano();
    }

    private static long micros(Duration time) {
        return time.toNanos() / 1_000;
    }

    private static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }

    /** {@code prefillQueue} is {@code prefill_queue}. */
    private static String snake(String camelCase) {
        return camelCase.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    private static String hex(ByteString id) {
        return java.util.HexFormat.of().formatHex(id.toByteArray());
    }
}

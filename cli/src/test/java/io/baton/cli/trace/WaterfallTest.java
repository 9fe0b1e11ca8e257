package io.baton.cli.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class WaterfallTest {

    private static final long MS = 1_000_000;

    private final List<TraceSpan> spans = new ArrayList<>();

    private void span(
            String id,
            String parent,
            String name,
            TraceSpan.Side side,
            String service,
            long fromMillis,
            long toMillis) {
        span(id, parent, name, side, service, fromMillis, toMillis, Map.of());
    }

    private void span(
            String id,
            String parent,
            String name,
            TraceSpan.Side side,
            String service,
            long fromMillis,
            long toMillis,
            Map<String, String> attributes) {
        spans.add(new TraceSpan(
                "aa", id, parent, name, side, "baton-" + service, fromMillis * MS, toMillis * MS, false, attributes));
    }

    /** 40 ms in all, the first token after 20 ms. */
    private Trace request(long prefillClockAheadMillis) {
        long ahead = prefillClockAheadMillis;
        span(
                "1",
                "",
                "generate",
                TraceSpan.Side.SERVER,
                "gateway",
                1000,
                1040,
                Map.of(
                        "baton.ttft.total_micros", "20000",
                        "baton.ttft.gateway_micros", "1000",
                        "baton.ttft.route_micros", "1000",
                        "baton.ttft.decode_admission_micros", "2000",
                        "baton.ttft.prefill_compute_micros", "10000",
                        "baton.ttft.exposed_transfer_micros", "4000",
                        "baton.ttft.first_step_micros", "2000",
                        "gen_ai.usage.input_tokens", "111",
                        "gen_ai.usage.output_tokens", "8"));
        span("2", "1", "route", TraceSpan.Side.NONE, "gateway", 1001, 1002);
        span("3", "1", "decode", TraceSpan.Side.CLIENT, "gateway", 1002, 1040);
        span("4", "3", "decode", TraceSpan.Side.SERVER, "decode", 1002, 1038);
        span("5", "4", "prefill", TraceSpan.Side.CLIENT, "decode", 1004, 1020);
        span("6", "5", "prefill", TraceSpan.Side.SERVER, "prefill", 1006 + ahead, 1018 + ahead);
        span("7", "6", "compute", TraceSpan.Side.NONE, "prefill", 1006 + ahead, 1016 + ahead);
        span("8", "6", "kv_transfer", TraceSpan.Side.NONE, "prefill", 1008 + ahead, 1018 + ahead);
        return new Trace("aa", spans);
    }

    @Test
    void aRequestIsDrawnByItsPartsAndItsSpans() {
        assertThat(String.join("\n", new Waterfall(85).draw(request(0)))).isEqualTo("""
                trace aa, 111 prompt tokens, 8 output tokens
                first token after                  20.000 ms
                  gateway                           1.000 ms ██
                  route                             1.000 ms   ██
                  decode admission                  2.000 ms     ████
                  prefill queue                     0.000 ms
                  prefix fetch                      0.000 ms
                  prefill compute                  10.000 ms         ████████████████████
                  exposed transfer                  4.000 ms                             ████████
                  first step                        2.000 ms                                     ████
                  unattributed                      0.000 ms
                the whole request                  40.000 ms
                  generate            gateway      40.000 ms ████████████████████████████████████████
                    route             gateway       1.000 ms  █
                    decode            decode       38.000 ms   ████████████████████████████████████░░
                      prefill         prefill      16.000 ms     ░░████████████░░
                        compute       prefill      10.000 ms       ██████████
                        kv_transfer   prefill      10.000 ms         ██████████""");
    }

    @Test
    void aProcessWhoseClockIsAnotherIsMovedToWhereItWasCalled() {
        List<String> onOneClock = new Waterfall(85).draw(request(0));
        spans.clear();
        assertThat(new Waterfall(85).draw(request(5_000))).isEqualTo(onOneClock);
        spans.clear();
        assertThat(new Waterfall(85).draw(request(-17))).isEqualTo(onOneClock);
    }

    @Test
    void whateverHasLengthShows() {
        Bars bars = new Bars(0, 1_000_000, 10);
        assertThat(bars.bar(999_999, 1_000_000)).isEqualTo(" ".repeat(9) + "█");
        assertThat(bars.bar(0, 1)).isEqualTo("▏");
        assertThat(bars.bar(500_000, 500_000)).isBlank();
        assertThat(bars.bar(0, 1_000_000)).isEqualTo("█".repeat(10));
        assertThat(new Bars(5, 5, 4).bar(5, 5)).isBlank();
    }

    @Test
    void nonsenseFromOutsideIsDrawnToo() {
        span("1", "2", "generate", TraceSpan.Side.CLIENT, "x", 30, 10);
        span("2", "1", "a name that is longer than the column for names", TraceSpan.Side.SERVER, "y", 5, 90);
        assertThat(new Waterfall(60).draw(new Trace("aa", spans))).isNotEmpty();
        spans.clear();
        assertThat(new Waterfall(60).draw(new Trace("aa", spans))).isNotEmpty();
    }
}

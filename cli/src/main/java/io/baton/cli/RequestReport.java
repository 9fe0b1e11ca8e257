package io.baton.cli;

import io.baton.cli.trace.Bars;
import io.baton.client.GenerationResult;
import io.baton.client.RouteTaken;
import io.baton.client.TtftParts;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/** How an answer came about, for people: the first token's time by part, what was received, what was cached. */
final class RequestReport {

    private static final int LABEL = 32;
    private static final int AXIS = 64;

    private RequestReport() {}

    static void print(GenerationResult result, PrintWriter out) {
        RouteTaken route = result.route();
        firstToken(result.ttft(), out);
        row(
                out,
                "received from the prefill node",
                "%d blocks, %,d bytes".formatted(route.kvBlocksReceived(), route.kvBytesReceived()));
        row(
                out,
                "prompt tokens from the cache",
                "%d of %d (decode node %d, prefill node %d)"
                        .formatted(
                                result.usage().cachedTokens(),
                                result.usage().promptTokens(),
                                route.decodeCachedTokens(),
                                route.prefillCachedTokens()));
        row(out, "output tokens", String.valueOf(result.usage().outputTokens()));
        row(
                out,
                "route",
                "decode %s, prefill %s (%s)"
                        .formatted(
                                route.decodeNode(),
                                route.prefillNode().orElse("there too"),
                                route.reason().toLowerCase(Locale.ROOT).replace('_', ' ')));
        route.events()
                .forEach(event -> row(
                        out,
                        "  fallback",
                        "%s%s: %s"
                                .formatted(
                                        event.reason().toLowerCase(Locale.ROOT).replace('_', ' '),
                                        event.node().map(node -> " at " + node).orElse(""),
                                        event.detail())));
        out.flush();
    }

    /** The parts as bars, end to end: where on the way to the first token each was. */
    private static void firstToken(TtftParts parts, PrintWriter out) {
        row(out, "time to first token", millis(parts.total()));
        Bars bars = new Bars(0, parts.total().toNanos(), AXIS);
        long from = 0;
        for (Map.Entry<String, Duration> part : parts.byName().entrySet()) {
            long to = from + part.getValue().toNanos();
            row(
                    out,
                    "  " + spaced(part.getKey()),
                    (millis(part.getValue()) + " " + bars.bar(from, to)).stripTrailing());
            from = to;
        }
    }

    private static void row(PrintWriter out, String label, String value) {
        out.println(label + " ".repeat(Math.max(1, LABEL - label.length())) + value);
    }

    private static String millis(Duration time) {
        return String.format(Locale.ROOT, "%9.3f ms", time.toNanos() / 1e6);
    }

    /** {@code prefillQueue} is {@code prefill queue}. */
    static String spaced(String camelCase) {
        return camelCase.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
    }
}

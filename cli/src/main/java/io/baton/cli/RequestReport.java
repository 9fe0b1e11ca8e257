package io.baton.cli;

import io.baton.client.GenerationResult;
import io.baton.client.RouteTaken;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/** How an answer came about, for people: the first token's time by part, what was received, what was cached. */
final class RequestReport {

    private static final int LABEL = 32;

    private RequestReport() {}

    static void print(GenerationResult result, PrintWriter out) {
        RouteTaken route = result.route();
        row(out, "time to first token", millis(result.ttft().total()));
        result.ttft().byName().forEach((name, time) -> row(out, "  " + spaced(name), millis(time)));
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

    private static void row(PrintWriter out, String label, String value) {
        out.println(label + " ".repeat(Math.max(1, LABEL - label.length())) + value);
    }

    private static String millis(Duration time) {
        return String.format(Locale.ROOT, "%9.3f ms", time.toNanos() / 1e6);
    }

    /** {@code prefillQueue} is {@code prefill queue}. */
    private static String spaced(String camelCase) {
        return camelCase.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
    }
}

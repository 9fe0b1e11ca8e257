package io.baton.cli;

import io.baton.client.GeneratedToken;
import io.baton.client.GenerationResult;
import io.baton.client.RouteTaken;
import io.baton.client.TtftParts;
import java.time.Duration;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A generation as lines of JSON: one object per token, then one for the whole. Of several answers each token names its
 * own as {@code "choice"}, and what the last line says of one answer is in an array {@code "choices"}.
 */
final class JsonOutput {

    private final JsonMapper json = new JsonMapper();
    private final boolean several;

    JsonOutput(boolean several) {
        this.several = several;
    }

    /** {@code {"tokenId","text"}}, and {@code "logprob"} and {@code "mostLikely"} if they were asked for. */
    String token(GeneratedToken token) {
        ObjectNode line = json.createObjectNode();
        if (several) {
            line.put("choice", token.choice());
        }
        line.put("tokenId", token.tokenId());
        line.put("text", token.text());
        token.logprob().ifPresent(logprob -> line.put("logprob", (float) logprob)); // it is a float on the wire
        if (!token.mostLikely().isEmpty()) {
            ArrayNode likely = line.putArray("mostLikely");
            token.mostLikely()
                    .forEach(other ->
                            likely.addObject().put("tokenId", other.tokenId()).put("logprob", other.logprob()));
        }
        return line.toString();
    }

    /** The last line. Times are milliseconds. */
    String result(GenerationResult result) {
        ObjectNode line = json.createObjectNode();
        if (several) {
            ArrayNode choices = line.putArray("choices");
            result.choices().forEach(answer -> addAnswer(choices.addObject().put("choice", answer.choice()), answer));
        } else {
            addAnswer(line, result.only());
        }
        line.put("promptTokens", result.usage().promptTokens());
        line.put("cachedTokens", result.usage().cachedTokens());
        line.put("outputTokens", result.usage().outputTokens());
        line.put("ttftMillis", millis(result.ttft().total()));
        addParts(line.putObject("ttftParts"), result.ttft());
        line.put("seed", result.started().seed());
        line.put("requestId", result.started().requestId());
        addRoute(line.putObject("route"), result.route());
        return line.toString();
    }

    private static void addAnswer(ObjectNode node, GenerationResult.Choice answer) {
        node.put("finishReason", answer.reason().name().toLowerCase(Locale.ROOT));
        ArrayNode ids = node.putArray("tokenIds");
        answer.tokenIds().forEach(ids::add);
        node.put("text", answer.text());
    }

    private static void addParts(ObjectNode parts, TtftParts ttft) {
        ttft.byName().forEach((name, time) -> parts.put(name, millis(time)));
    }

    private static void addRoute(ObjectNode node, RouteTaken route) {
        node.put("decodeNode", route.decodeNode());
        node.put("prefillNode", route.prefillNode().orElse(null));
        node.put("reason", route.reason());
        node.put("kvBlocksReceived", route.kvBlocksReceived());
        node.put("kvBytesReceived", route.kvBytesReceived());
        node.put("decodeCachedTokens", route.decodeCachedTokens());
        node.put("prefillCachedTokens", route.prefillCachedTokens());
        ArrayNode events = node.putArray("events");
        route.events()
                .forEach(event -> events.addObject()
                        .put("reason", event.reason())
                        .put("node", event.node().orElse(null))
                        .put("detail", event.detail()));
    }

    private static double millis(Duration time) {
        return time.toNanos() / 1e6;
    }
}

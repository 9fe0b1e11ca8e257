package io.baton.cli.trace;

import java.util.Map;
import java.util.OptionalLong;

/**
 * One ended span, wherever it came from.
 *
 * @param parentId empty for a root
 * @param service {@code service.name} of the process it is from
 * @param startNanos since the epoch, on that process's clock
 * @param endNanos as {@code startNanos}
 * @param attributes as text; those of lists are left out
 */
public record TraceSpan(
        String traceId,
        String spanId,
        String parentId,
        String name,
        Side side,
        String service,
        long startNanos,
        long endNanos,
        boolean failed,
        Map<String, String> attributes) {

    /** Which side of a call it is, if it is one. */
    public enum Side {
        CLIENT,
        SERVER,
        NONE
    }

    public TraceSpan {
        attributes = Map.copyOf(attributes);
    }

    /** An attribute that is a whole number. */
    OptionalLong number(String attribute) {
        String text = attributes.getOrDefault(attribute, "");
        return text.matches("-?\\d{1,18}") ? OptionalLong.of(Long.parseLong(text)) : OptionalLong.empty();
    }

    TraceSpan later(long nanos) {
        return new TraceSpan(
                traceId,
                spanId,
                parentId,
                name,
                side,
                service,
                startNanos + nanos,
                endNanos + nanos,
                failed,
                attributes);
    }
}

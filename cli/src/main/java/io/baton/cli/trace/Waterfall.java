package io.baton.cli.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Draws one trace: the parts of the time to the first token end to end, then every span over the whole request. A call
 * to another process is one line: light while it was waited for, solid while that process worked on it.
 */
public final class Waterfall {

    private static final List<String> PARTS = List.of(
            "gateway",
            "route",
            "decode_admission",
            "prefill_queue",
            "prefix_fetch",
            "prefill_compute",
            "exposed_transfer",
            "first_step",
            "unattributed");
    private static final int LABEL = 22;
    private static final int SERVICE = 9;
    private static final int TIME = 13;
    private static final int LEAST_AXIS = 20;

    private final int axis;

    /** @param width characters of a line */
    public Waterfall(int width) {
        this.axis = Math.max(LEAST_AXIS, width - LABEL - SERVICE - TIME - 1);
    }

    /** Everything; lines without line ends. */
    public List<String> draw(Trace trace) {
        List<String> lines = new ArrayList<>();
        Optional<TraceSpan> generate = trace.spans().stream()
                .filter(span -> span.number("baton.ttft.total_micros").isPresent())
                .findFirst();
        lines.add("trace " + trace.id() + generate.map(Waterfall::usage).orElse(""));
        generate.ifPresent(span -> parts(span, lines));
        lines.addAll(drawSpans(trace));
        return lines;
    }

    /** The spans alone. */
    public List<String> drawSpans(Trace drawn) {
        Trace trace = drawn.aligned();
        List<String> lines = new ArrayList<>();
        long start =
                trace.spans().stream().mapToLong(TraceSpan::startNanos).min().orElse(0);
        long end = trace.spans().stream().mapToLong(TraceSpan::endNanos).max().orElse(0);
        lines.add(line("the whole request", "", end - start, ""));
        Bars bars = new Bars(start, end, axis);
        for (TraceSpan top : trace.tops()) {
            spans(trace, top, 1, bars, lines);
        }
        return lines;
    }

    private static String usage(TraceSpan generate) {
        OptionalLong prompt = generate.number("gen_ai.usage.input_tokens");
        OptionalLong output = generate.number("gen_ai.usage.output_tokens");
        return prompt.isPresent() && output.isPresent()
                ? ", %d prompt tokens, %d output tokens".formatted(prompt.getAsLong(), output.getAsLong())
                : "";
    }

    private void parts(TraceSpan generate, List<String> lines) {
        long total = generate.number("baton.ttft.total_micros").orElse(0);
        lines.add(line("first token after", "", 1_000 * total, ""));
        Bars bars = new Bars(0, total, axis);
        long from = 0;
        for (String part : PARTS) {
            long took = generate.number("baton.ttft." + part + "_micros").orElse(0);
            lines.add(line("  " + part.replace('_', ' '), "", 1_000 * took, bars.bar(from, from + took)));
            from += took;
        }
    }

    private void spans(Trace trace, TraceSpan span, int depth, Bars bars, List<String> lines) {
        Optional<TraceSpan> called = trace.called(span);
        TraceSpan at = called.orElse(span);
        String bar = called.isPresent()
                ? bars.bar(span.startNanos(), span.endNanos(), at.startNanos(), at.endNanos())
                : bars.bar(span.startNanos(), span.endNanos());
        String label = "  ".repeat(depth) + span.name();
        lines.add(line(label, role(at), span.endNanos() - span.startNanos(), bar + (at.failed() ? " failed" : "")));
        trace.children(span).stream()
                .filter(child -> called.isEmpty() || !child.equals(at))
                .forEach(child -> spans(trace, child, depth + 1, bars, lines));
        called.ifPresent(
                server -> trace.children(server).forEach(child -> spans(trace, child, depth + 1, bars, lines)));
    }

    /** {@code baton-decode} is decode; a process with all roles has no name worth saying. */
    private static String role(TraceSpan span) {
        String service = span.service();
        return service.equals("baton") ? "" : service.startsWith("baton-") ? service.substring(6) : service;
    }

    private static String line(String label, String service, long nanos, String bar) {
        return String.format(
                        Locale.ROOT,
                        "%-" + LABEL + "s%-" + SERVICE + "s%" + (TIME - 3) + ".3f ms %s",
                        cut(label, LABEL - 1),
                        cut(service, SERVICE - 1),
                        nanos / 1e6,
                        bar)
                .stripTrailing();
    }

    private static String cut(String text, int most) {
        return text.length() <= most ? text : text.substring(0, most);
    }
}

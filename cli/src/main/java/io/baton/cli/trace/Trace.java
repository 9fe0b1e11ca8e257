package io.baton.cli.trace;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The spans of one request. */
public record Trace(String id, List<TraceSpan> spans) {

    /** Clocks of one machine agree that well; what differs by more is another machine's. */
    private static final long SAME_CLOCK_NANOS = 1_000_000;

    private static final Comparator<TraceSpan> ORDER =
            Comparator.comparingLong(TraceSpan::startNanos).thenComparingLong(TraceSpan::endNanos);

    public Trace {
        spans = spans.stream().sorted(ORDER).toList();
    }

    /** Whether it is one of text being generated, and not of a look at the model. */
    boolean generates() {
        return spans.stream().anyMatch(span -> span.name().equals("generate"));
    }

    /** Spans whose parent is not here: one when everything is. */
    List<TraceSpan> tops() {
        Set<String> known = spans.stream().map(TraceSpan::spanId).collect(Collectors.toSet());
        return spans.stream().filter(span -> !known.contains(span.parentId())).toList();
    }

    List<TraceSpan> children(TraceSpan parent) {
        return spans.stream()
                .filter(span -> span.parentId().equals(parent.spanId()))
                .toList();
    }

    /** The other side of a call, if this is the calling one. */
    Optional<TraceSpan> called(TraceSpan span) {
        return span.side() == TraceSpan.Side.CLIENT
                ? children(span).stream()
                        .filter(child -> child.side() == TraceSpan.Side.SERVER)
                        .findFirst()
                : Optional.empty();
    }

    /** Whether nothing is known to be missing: everything is below one root, and of each call both sides are there. */
    boolean isWhole() {
        List<TraceSpan> tops = tops();
        return tops.size() == 1
                && tops.getFirst().parentId().isEmpty()
                && spans.stream()
                        .allMatch(span -> span.side() != TraceSpan.Side.CLIENT
                                || called(span).isPresent());
    }

    /**
     * With other machines' clocks brought into line: what a called process did lies within the call, so spans that say
     * otherwise by more than a millisecond are moved there with everything below them.
     */
    Trace aligned() {
        Map<String, Long> moved = new HashMap<>();
        tops().forEach(top -> align(top, 0, moved));
        return new Trace(
                id,
                spans.stream()
                        .map(span -> span.later(moved.getOrDefault(span.spanId(), 0L)))
                        .toList());
    }

    private void align(TraceSpan span, long nanos, Map<String, Long> moved) {
        if (moved.putIfAbsent(span.spanId(), nanos) != null) {
            return; // a circle, which only nonsense from outside can be
        }
        for (TraceSpan child : children(span)) {
            boolean call = span.side() == TraceSpan.Side.CLIENT && child.side() == TraceSpan.Side.SERVER;
            align(child, call ? nanos + correction(span, child) : nanos, moved);
        }
    }

    private static long correction(TraceSpan call, TraceSpan called) {
        long early = call.startNanos() - called.startNanos();
        long late = called.endNanos() - call.endNanos();
        if (early <= SAME_CLOCK_NANOS && late <= SAME_CLOCK_NANOS) {
            return 0;
        }
        long spare = (call.endNanos() - call.startNanos()) - (called.endNanos() - called.startNanos());
        return early + Math.max(0, spare / 2); // as much on the way there as on the way back
    }
}

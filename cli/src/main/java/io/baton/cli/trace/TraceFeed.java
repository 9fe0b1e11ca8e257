package io.baton.cli.trace;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Puts spans together to traces. Any thread adds spans; one takes traces. Bounded: of more traces than may be open the
 * oldest is dropped, and spans that come faster than they are taken.
 */
public final class TraceFeed implements Consumer<TraceSpan> {

    private static final int MAX_WAITING = 100_000;
    private static final int MAX_OPEN = 1_000;
    private static final int MAX_SPANS = 10_000;

    private final LongSupplier nanos;
    private final long settleNanos;
    private final long patienceNanos;
    private final BlockingQueue<TraceSpan> waiting = new LinkedBlockingQueue<>(MAX_WAITING);
    private final Map<String, Open> open = new LinkedHashMap<>(); // of the taking thread

    private static final class Open {
        final List<TraceSpan> spans = new ArrayList<>();
        long lastNanos;
    }

    /**
     * @param settle how long a trace that looks whole must be quiet to be taken as whole
     * @param patience how long one that lacks something must be quiet to be taken as it is
     */
    public TraceFeed(LongSupplier nanos, Duration settle, Duration patience) {
        this.nanos = nanos;
        this.settleNanos = settle.toNanos();
        this.patienceNanos = patience.toNanos();
    }

    @Override
    public void accept(TraceSpan span) {
        var _ = waiting.offer(span);
    }

    /** The next trace of generated text; empty when none was complete within {@code limit}. */
    public Optional<Trace> next(Duration limit) throws InterruptedException {
        long end = nanos.getAsLong() + limit.toNanos();
        while (true) {
            for (TraceSpan span = waiting.poll(); span != null; span = waiting.poll()) {
                add(span);
            }
            long now = nanos.getAsLong();
            Optional<Trace> complete = complete(now);
            if (complete.isPresent() || now >= end) {
                return complete;
            }
            long look = Math.min(end - now, Math.max(1, open.isEmpty() ? limit.toNanos() : settleNanos / 2));
            TraceSpan span = waiting.poll(look, TimeUnit.NANOSECONDS);
            if (span != null) {
                add(span);
            }
        }
    }

    private void add(TraceSpan span) {
        Open trace = open.get(span.traceId());
        if (trace == null) {
            if (open.size() >= MAX_OPEN) {
                open.remove(open.keySet().iterator().next());
            }
            trace = new Open();
            open.put(span.traceId(), trace);
        }
        if (trace.spans.size() < MAX_SPANS) {
            trace.spans.add(span);
        }
        trace.lastNanos = nanos.getAsLong();
    }

    /** Parts of a request that end early come long before its root: they are kept until that has come as well. */
    private Optional<Trace> complete(long now) {
        for (Iterator<Map.Entry<String, Open>> all = open.entrySet().iterator(); all.hasNext(); ) {
            Map.Entry<String, Open> each = all.next();
            long quiet = now - each.getValue().lastNanos;
            if (quiet < settleNanos) {
                continue;
            }
            Trace trace = new Trace(each.getKey(), each.getValue().spans);
            if (trace.isWhole() || (trace.generates() && quiet >= patienceNanos)) {
                all.remove();
                if (trace.generates()) {
                    return Optional.of(trace);
                }
            }
        }
        return Optional.empty();
    }
}

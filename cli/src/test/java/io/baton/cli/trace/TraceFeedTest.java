package io.baton.cli.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TraceFeedTest {

    private static final Duration NOW = Duration.ZERO;

    private final AtomicLong nanos = new AtomicLong();
    private final TraceFeed feed = new TraceFeed(nanos::get, Duration.ofMillis(500), Duration.ofSeconds(4));

    private void span(String trace, String id, String parent, String name, TraceSpan.Side side) {
        feed.accept(new TraceSpan(trace, id, parent, name, side, "baton", 1, 2, false, Map.of()));
    }

    private void pass(Duration time) throws InterruptedException {
        while (feed.next(NOW).isPresent()) { // takes up what was added, too
            throw new AssertionError("a trace came too early");
        }
        nanos.addAndGet(time.toNanos());
    }

    @Test
    void aTraceIsTakenWhenBothSidesOfEveryCallAreThere() throws InterruptedException {
        span("a", "2", "1", "decode", TraceSpan.Side.CLIENT);
        span("a", "1", "", "generate", TraceSpan.Side.SERVER);
        pass(Duration.ofSeconds(1));
        pass(NOW); // the decode node has not said anything yet
        span("a", "3", "2", "decode", TraceSpan.Side.SERVER);
        pass(Duration.ofMillis(499));
        pass(Duration.ofMillis(2));
        assertThat(feed.next(NOW))
                .hasValueSatisfying(trace -> assertThat(trace.spans()).hasSize(3));
        assertThat(feed.next(NOW)).isEmpty();
    }

    @Test
    void oneThatStaysIncompleteIsTakenAsItIs() throws InterruptedException {
        span("a", "2", "1", "decode", TraceSpan.Side.CLIENT);
        pass(Duration.ofMillis(3_999));
        pass(Duration.ofMillis(2));
        assertThat(feed.next(NOW)).as("no text was generated").isEmpty();
        span("b", "1", "", "generate", TraceSpan.Side.SERVER);
        span("b", "2", "1", "decode", TraceSpan.Side.CLIENT);
        pass(Duration.ofMillis(4_001));
        assertThat(feed.next(NOW)).isPresent();
    }

    @Test
    void whatEndedLongBeforeTheRequestIsStillPartOfIt() throws InterruptedException {
        span("a", "2", "1", "route", TraceSpan.Side.NONE);
        pass(Duration.ofMinutes(5));
        span("a", "1", "", "generate", TraceSpan.Side.SERVER);
        pass(Duration.ofMillis(501));
        assertThat(feed.next(NOW))
                .hasValueSatisfying(trace -> assertThat(trace.spans()).hasSize(2));
    }

    @Test
    void aFloodIsBounded() throws InterruptedException {
        for (int i = 0; i < 200_000; i++) {
            span("t" + i, "1", "", "generate", TraceSpan.Side.SERVER);
        }
        pass(Duration.ofSeconds(1));
        int traces = 0;
        while (feed.next(NOW).isPresent()) {
            traces++;
        }
        assertThat(traces).isBetween(1, 1_000);
    }
}

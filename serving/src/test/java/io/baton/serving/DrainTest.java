package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DrainTest {

    private Instant now = Instant.EPOCH;
    private final List<String> drained = new ArrayList<>();

    @Test
    void whatWasAddedLastDrainsFirstWithinTheTimeThatIsLeft() {
        Drain drain = new Drain(Duration.ofSeconds(10), () -> now);
        drain.add("prefill", limit -> drained.add("prefill " + limit));
        drain.add("gateway", limit -> {
            drained.add("gateway " + limit);
            now = now.plusSeconds(4);
        });
        drain.run();
        assertThat(drained).containsExactly("gateway PT10S", "prefill PT6S");
        assertThat(drain.isDraining()).isTrue();
        assertThat(drain.hasFailed()).isFalse();
    }

    @Test
    void aStepThatFailsOrTakesTooLongDoesNotStopTheOthers() {
        Drain drain = new Drain(Duration.ofSeconds(10), () -> now);
        drain.add("prefill", limit -> drained.add("prefill " + limit));
        drain.add("decode", limit -> {
            throw new IllegalStateException("as a test");
        });
        drain.add("gateway", limit -> now = now.plusSeconds(20));
        drain.run();
        assertThat(drained).containsExactly("prefill PT0S");
        assertThat(drain.hasFailed()).isTrue();
    }

    @Test
    void drainingAgainDoesNothing() {
        Drain drain = new Drain(Duration.ofSeconds(10), () -> now);
        drain.add("gateway", limit -> drained.add("gateway"));
        drain.run();
        drain.run();
        drain.await();
        assertThat(drained).containsExactly("gateway");
    }
}

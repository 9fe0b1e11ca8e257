package io.baton.engine.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.baton.engine.EngineLoad;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Steps of a machine whose time is known: the weights take {@link #READING}, a row of a prompt its share of a second.
 */
class LoadMeterTest {

    private static final int CHUNK = 512;
    private static final double RATE = 280; // tokens per second
    private static final Duration READING = Duration.ofMillis(45);
    private static final EngineLoad NOTHING = new EngineLoad(0, 0, 0, 0, 0, 0, 0, 0, 0);

    private final LoadMeter meter = new LoadMeter(CHUNK);
    private long now = 1;
    private double slowness = 1;

    @Test
    void theRateIsUnknownUntilAStepWasBoundByArithmetic() {
        assertThat(rate()).isZero();
        prompt(1);
        prompt(4);
        prompt(10); // no longer than a step of one row
        assertThat(rate()).isZero();
        prompt(100);
        assertThat(rate()).isCloseTo(RATE, withinPercentage(1));
    }

    @Test
    void promptsFromTheCacheDoNotMakeTheNodeSeemSlow() {
        prompt(1500);
        for (int i = 0; i < 10_000; i++) {
            prompt(1 + i % 10);
            steps(1, 3);
        }
        assertThat(rate()).isCloseTo(RATE, withinPercentage(1));
    }

    @Test
    void aFewTokensBesideARunningBatchDoNotEither() {
        prompt(1500);
        steps(8, 10);
        for (int i = 0; i < 1000; i++) {
            step(4, 8);
        }
        assertThat(rate()).isCloseTo(RATE, withinPercentage(1));
    }

    @Test
    void aBatchThatIsAlwaysLargeHidesNothing() {
        steps(32, 10);
        for (int i = 0; i < 100; i++) {
            step(CHUNK, 32);
            step(16, 32);
            step(16, 32);
        }
        assertThat(rate()).as("of chunks").isCloseTo(RATE, withinPercentage(2));
        assertThat(decodeStepMicros()).isCloseTo(1e6 * 32 / RATE, withinPercentage(1));
    }

    @Test
    void promptsOfMiddleLengthShowAMachineThatBecameSlower() {
        prompt(1500);
        steps(1, 10);
        slowness = 4;
        for (int i = 0; i < 100; i++) {
            steps(1, 20);
            prompt(150);
        }
        assertThat(rate()).isCloseTo(RATE / 4, withinPercentage(10));
    }

    @Test
    void fullChunksCountWhateverTheyTake() {
        LoadMeter small = new LoadMeter(4);
        for (int i = 0; i < 20; i++) {
            small.step(4, 0, READING.toNanos(), ++now);
        }
        assertThat(rate(small, now)).isCloseTo(4 / 0.045, withinPercentage(1));
    }

    @Test
    void chunksBesideARunningBatchDoNotMakeItsOwnStepsSeemLong() {
        steps(4, 10);
        for (int i = 0; i < 20; i++) {
            step(CHUNK, 4);
        }
        assertThat(decodeStepMicros()).isCloseTo(45_000, withinPercentage(1));
        assertThat(rate()).isCloseTo(RATE, withinPercentage(2));
    }

    @Test
    void aBatchThatGrewIsFollowedAndSlowStepsAreForgotten() {
        steps(1, 10);
        slowness = 3;
        steps(8, 40);
        assertThat(decodeStepMicros()).isCloseTo(135_000, withinPercentage(2));
        now += Duration.ofSeconds(30).toNanos();
        assertThat(decodeStepMicros()).isCloseTo(90_000, withinPercentage(2));
        now += Duration.ofMinutes(10).toNanos();
        assertThat(decodeStepMicros()).isCloseTo(45_000, withinPercentage(1));
    }

    @Test
    void aMeasurementGrowsOldTowardsTheFastest() {
        prompt(10 * CHUNK);
        slowness = 10;
        prompt(60 * CHUNK);
        assertThat(rate()).isCloseTo(RATE / 10, withinPercentage(5));
        double slow = rate();
        now += Duration.ofSeconds(30).toNanos();
        assertThat(rate()).as("half way, in time per token").isCloseTo(2 / (1 / RATE + 1 / slow), withinPercentage(2));
        for (int i = 0; i < 100; i++) {
            prompt(2); // says nothing and keeps nothing young
        }
        now += Duration.ofMinutes(10).toNanos();
        assertThat(rate()).isCloseTo(RATE, withinPercentage(2));
    }

    @Test
    void whateverComesTheRateIsThatOfLongPrompts() {
        for (int seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            LoadMeter other = new LoadMeter(CHUNK);
            long time = 0;
            int most = 1 << random.nextInt(6, 12);
            for (int i = 0; i < 500; i++) {
                int prefillRows = random.nextInt(3) == 0 ? 0 : Math.min(CHUNK, random.nextInt(most));
                int decodeRows = random.nextInt(9);
                if (prefillRows + decodeRows > 0) {
                    long took = (long) (taking(prefillRows, decodeRows) * (1 + 0.2 * random.nextDouble()));
                    time += took;
                    other.step(prefillRows, decodeRows, took, time);
                }
            }
            assertThat(rate(other, time))
                    .as("seed %d, prompts below %d", seed, most)
                    .isBetween(0.6 * RATE, 1.15 * RATE);
        }
    }

    private double rate() {
        return rate(meter, now);
    }

    private static double rate(LoadMeter meter, long now) {
        return meter.load(NOTHING, now).prefillTokensPerSecond();
    }

    private double decodeStepMicros() {
        return meter.load(NOTHING, now).decodeStepMicros();
    }

    private void prompt(int tokens) {
        for (int done = 0; done < tokens; done += CHUNK) {
            step(Math.min(CHUNK, tokens - done), 0);
        }
    }

    private void steps(int decodeRows, int count) {
        for (int i = 0; i < count; i++) {
            step(0, decodeRows);
        }
    }

    private void step(int prefillRows, int decodeRows) {
        long took = (long) (slowness * taking(prefillRows, decodeRows));
        now += took;
        meter.step(prefillRows, decodeRows, took, now);
    }

    /** Nanoseconds of a step: reading the weights and multiplying with them go on side by side. */
    private static double taking(int prefillRows, int decodeRows) {
        return Math.max((double) READING.toNanos(), 1e9 * (prefillRows + decodeRows) / RATE);
    }
}

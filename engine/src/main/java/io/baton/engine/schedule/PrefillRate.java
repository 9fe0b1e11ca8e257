package io.baton.engine.schedule;

import java.util.concurrent.TimeUnit;

/**
 * How fast long prompts are computed, as measured last. A measurement grows old: what made a machine slow may have
 * gone, and a node that is believed to be slow is given no prompt that would show it. Immutable.
 *
 * @param tokensPerSecond as measured last; 0 when nothing was
 * @param fastest the highest that was ever measured
 * @param measuredNanos when, on the engine's clock
 */
record PrefillRate(double tokensPerSecond, double fastest, long measuredNanos) {

    static final PrefillRate UNKNOWN = new PrefillRate(0, 0, 0);

    /** In this time without a measurement the rate goes half the way back to the fastest. */
    private static final double HALF_LIFE_NANOS = TimeUnit.SECONDS.toNanos(30);

    PrefillRate measured(double rate, long now) {
        return new PrefillRate(rate, Math.max(rate, fastest), now);
    }

    /** What to plan with; 0 until known. */
    double at(long now) {
        double age = Math.max(0, now - measuredNanos);
        return fastest - (fastest - tokensPerSecond) * Math.pow(0.5, age / HALF_LIFE_NANOS);
    }
}

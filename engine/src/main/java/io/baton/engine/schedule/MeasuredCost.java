package io.baton.engine.schedule;

import java.util.concurrent.TimeUnit;

/**
 * What something costs, as measured last. A measurement grows old: what made a machine slow may have gone, and a node
 * that is believed to be slow is given nothing that would show it. Immutable.
 *
 * @param nanos as measured last; 0 when nothing was
 * @param leastNanos the least that was ever measured
 * @param measuredAt when, on the engine's clock
 */
record MeasuredCost(double nanos, double leastNanos, long measuredAt) {

    static final MeasuredCost UNKNOWN = new MeasuredCost(0, 0, 0);

    /** In this time without a measurement the cost goes half the way back to the least. */
    private static final double HALF_LIFE_NANOS = TimeUnit.SECONDS.toNanos(30);

    MeasuredCost measured(double cost, long now) {
        return new MeasuredCost(cost, nanos == 0 ? cost : Math.min(cost, leastNanos), now);
    }

    /** What to plan with; 0 until known. */
    double at(long now) {
        double age = Math.max(0, now - measuredAt);
        return leastNanos + (nanos - leastNanos) * Math.pow(0.5, age / HALF_LIFE_NANOS);
    }
}

package io.baton.engine.schedule;

/** Exponential means of what steps cost. Confined to the scheduler thread. */
final class LoadMeter {

    /** A step's weight falls to a third within ten steps: quick enough to follow a changed batch, slow enough for noise. */
    private static final double KEPT = 0.9;

    private double prefillTokens;
    private double prefillNanos;
    private double decodeSteps;
    private double decodeNanos;

    /** One step took {@code nanos} for so many rows of prompts and of running sequences. */
    void step(int prefillRows, int decodeRows, long nanos) {
        if (prefillRows > 0) {
            prefillTokens = KEPT * prefillTokens + prefillRows;
            prefillNanos = KEPT * prefillNanos + nanos;
        }
        if (decodeRows > 0) {
            decodeSteps = KEPT * decodeSteps + 1;
            decodeNanos = KEPT * decodeNanos + nanos;
        }
    }

    double prefillTokensPerSecond() {
        return prefillNanos == 0 ? 0 : 1e9 * prefillTokens / prefillNanos;
    }

    double decodeStepMicros() {
        return decodeSteps == 0 ? 0 : decodeNanos / decodeSteps / 1e3;
    }
}

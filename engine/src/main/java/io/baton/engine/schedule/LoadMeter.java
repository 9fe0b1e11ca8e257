package io.baton.engine.schedule;

import io.baton.engine.EngineLoad;
import io.baton.kv.CacheCounts;

/**
 * What an engine tells others of its load: exponential means of what steps cost, and counts. Confined to the scheduler
 * thread.
 */
final class LoadMeter {

    /**
     * A step's weight falls to a third within ten steps: quick enough to follow a changed batch, slow enough for noise.
     */
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

    EngineLoad load(Schedule schedule) {
        CacheCounts counts = schedule.cache.counts();
        long tokens = schedule.prefillTokensLeft();
        int waiting = schedule.waiting.size();
        for (Sequence sequence : schedule.waiting) {
            tokens += sequence instanceof Prefill ? sequence.tokens.length : 0;
        }
        for (Sequence sequence : schedule.prefilling) {
            waiting += sequence instanceof Prefill ? 1 : 0;
        }
        for (Generation generation : schedule.admitted) {
            waiting += generation.phase == Generation.Phase.RUNNING ? 0 : 1;
        }
        return new EngineLoad(
                tokens,
                schedule.running.size(),
                waiting,
                counts.capacity(),
                counts.free(),
                counts.cached(),
                counts.inUse(),
                prefillTokensPerSecond(),
                decodeStepMicros());
    }

    private double prefillTokensPerSecond() {
        return prefillNanos == 0 ? 0 : 1e9 * prefillTokens / prefillNanos;
    }

    private double decodeStepMicros() {
        return decodeSteps == 0 ? 0 : decodeNanos / decodeSteps / 1e3;
    }
}

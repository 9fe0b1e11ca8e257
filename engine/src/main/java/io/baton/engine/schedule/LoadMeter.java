package io.baton.engine.schedule;

import io.baton.engine.EngineLoad;
import io.baton.kv.CacheCounts;
import java.util.concurrent.TimeUnit;

/**
 * What an engine tells others of its load: exponential means of what steps cost, and counts. Confined to the scheduler
 * thread, but for {@link #load(EngineLoad, long)}.
 *
 * <p>Two costs are kept apart, that of a prompt's token in a chunk and that of a decode step, because others plan with
 * each. A step of few rows takes about as long as one of a single row, since it reads all weights too: it says nothing
 * of the time a long prompt takes. If it counted, a node that answered a series of prompts from its cache, one token of
 * each uncached, would seem a hundred times slower than it is, and long prompts would be refused until one came that
 * may not be. A step with a chunk in it says as little of decoding, and what it takes longer than one without is the
 * chunk's.
 */
final class LoadMeter {

    /**
     * A step's weight falls to a third within ten steps, that of a prompt's within ten chunks: quick enough to follow a
     * changed batch, slow enough for noise.
     */
    private static final double KEPT = 0.9;

    /** So many rows of prompts are no chunk. */
    private static final int FEW_ROWS = 8;

    /** What takes this many times a step without a chunk is bound by arithmetic, not by reading weights. */
    private static final int BOUND_BY_ARITHMETIC = 2;

    /** By this the shortest step is taken to be longer with each that is not, so that a slower machine is noticed. */
    private static final double FORGOTTEN = 1.02;

    private final int chunkTokens;
    private double prefillTokens;
    private double prefillNanos;
    private double shortestNanos; // 0 until known
    private double decodeSteps;
    private double decodeNanos;
    private volatile MeasuredCost token = MeasuredCost.UNKNOWN;
    private volatile MeasuredCost decodeStep = MeasuredCost.UNKNOWN;

    /** @param chunkTokens prompt tokens of a full chunk */
    LoadMeter(int chunkTokens) {
        this.chunkTokens = chunkTokens;
    }

    /** One step took {@code nanos} for so many rows of prompts and of running sequences, and has ended now. */
    void step(int prefillRows, int decodeRows, long nanos, long now) {
        double withoutChunk = decodeRows > 0 && decodeSteps > 0 ? decodeNanos / decodeSteps : 0;
        boolean boundByArithmetic =
                prefillRows > FEW_ROWS && nanos >= BOUND_BY_ARITHMETIC * Math.max(shortestNanos, withoutChunk);
        if (nanos > 0 && (boundByArithmetic || prefillRows >= chunkTokens)) {
            double kept = Math.pow(KEPT, (double) prefillRows / chunkTokens);
            prefillTokens = kept * prefillTokens + prefillRows;
            prefillNanos = kept * prefillNanos + Math.max(nanos - withoutChunk, nanos / 2.0);
            token = token.measured(prefillNanos / prefillTokens, now);
        }
        if (prefillRows <= FEW_ROWS && prefillRows + decodeRows > 0) {
            shortestNanos = shortestNanos == 0 ? nanos : Math.min((double) nanos, FORGOTTEN * shortestNanos);
        }
        if (prefillRows <= FEW_ROWS && decodeRows > 0) {
            decodeSteps = KEPT * decodeSteps + 1;
            decodeNanos = KEPT * decodeNanos + nanos;
            decodeStep = decodeStep.measured(decodeNanos / decodeSteps, now);
        }
    }

    /** The counts, without what steps cost. */
    EngineLoad counts(Schedule schedule) {
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
                0,
                0);
    }

    /** The counts with what steps cost, as one plans with it now. Any thread. */
    EngineLoad load(EngineLoad counts, long now) {
        double tokenNanos = token.at(now);
        return counts.withCosts(
                tokenNanos == 0 ? 0 : TimeUnit.SECONDS.toNanos(1) / tokenNanos,
                decodeStep.at(now) / TimeUnit.MICROSECONDS.toNanos(1));
    }
}

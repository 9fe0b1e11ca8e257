package io.baton.routing;

/**
 * Estimates the time to first token and the time between tokens from what nodes report. Immutable; any thread.
 *
 * <pre>
 * TTFT(P, D) = admission(D) + queue(P) + min(recompute, fetch) of the history missing at P
 *            + suffix / rate(P) + exposed transfer + first step(D)
 * TTFT(–, D) = admission(D) + queue(D) + uncached / rate(D), stretched by the decode steps between chunks + first step(D)
 * </pre>
 *
 * It follows Mooncake's Algorithm 1 (FAST'25), with prefill time linear in tokens: a rate is measured on the node's own
 * recent prompts, so that attention's quadratic share is in it at the lengths that occur; those of so few uncached
 * tokens that a step took no longer than any other are left out, as the first step of each estimate covers them.
 */
public final class CostModel {

    private static final double MICROS = 1e6;

    private final KvGeometry geometry;
    private final CostParameters parameters;

    public CostModel(KvGeometry geometry, CostParameters parameters) {
        this.geometry = geometry;
        this.parameters = parameters;
    }

    public KvGeometry geometry() {
        return geometry;
    }

    public CostParameters parameters() {
        return parameters;
    }

    public int blocksFor(long tokens) {
        return (int) Math.min(Integer.MAX_VALUE, (tokens + geometry.blockTokens() - 1) / geometry.blockTokens());
    }

    public double prefillRate(NodeLoad load) {
        return load.prefillTokensPerSecond() > 0 ? load.prefillTokensPerSecond() : parameters.prefillTokensPerSecond();
    }

    /**
     * The wait in a node's prefill queue.
     *
     * @param ageMicros since the load was reported: the queue has been worked off since
     */
    public double queueMicros(NodeLoad load, double ageMicros, Pending pending) {
        double rate = prefillRate(load);
        double left = Math.max(0, load.queuedPrefillTokens() / rate * MICROS - ageMicros);
        return left + pending.prefillTokens() / rate * MICROS;
    }

    /** The time between tokens after one more sequence joins. */
    public double itlMicros(NodeLoad load, Pending pending) {
        int running = load.runningSequences() + pending.sequences();
        double step = load.decodeStepMicros() > 0 ? load.decodeStepMicros() : parameters.decodeStepMicros();
        int measuredAt = Math.max(1, load.runningSequences());
        return step * (1 + parameters.stepGrowth() * Math.max(0, running + 1 - measuredAt) / measuredAt);
    }

    /**
     * The wait for blocks and a place: 0 when nobody waits and the blocks are there, else the time in which as many
     * sequences end as are ahead.
     *
     * @param blocks that the sequence will pin at its longest, cached ones left out
     */
    public double admissionMicros(NodeLoad load, int blocks, Pending pending) {
        int waiting = load.waitingSequences();
        // A node that has not reported its pool yet shows neither free nor used blocks.
        boolean poolKnown = load.freeBlocks() + load.cachedBlocks() + load.usedBlocks() > 0;
        long room = (long) load.freeBlocks() + load.cachedBlocks() - pending.blocks();
        boolean fits = !poolKnown || room >= blocks;
        if (waiting == 0 && fits) {
            return 0;
        }
        int running = Math.max(1, load.runningSequences() + pending.sequences());
        double sequenceMicros = parameters.typicalOutputTokens() * itlMicros(load, pending);
        return (waiting + 1) * sequenceMicros / running;
    }

    /** Time until every token's KV that the decode node lacks is computed and there. */
    public CostParts remote(
            RequestShape shape,
            NodeLoad prefill,
            double prefillAgeMicros,
            Pending prefillPending,
            int prefillCached,
            NodeLoad decode,
            Pending decodePending,
            int decodeCached,
            int historyAnywhere) {
        double rate = prefillRate(prefill);
        int history = parameters.fetchBytesPerSecond() > 0 ? Math.max(prefillCached, historyAnywhere) : prefillCached;
        int missing = history - prefillCached;
        double missingMicros = missing / rate * MICROS;
        if (missing > 0) {
            double fetch = missing * (double) geometry.bytesPerToken() / parameters.fetchBytesPerSecond() * MICROS;
            missingMicros = Math.min(missingMicros, fetch);
        }
        double suffixMicros = (shape.tokens() - history) / rate * MICROS;
        double transfer = parameters.handoffMicros()
                + exposedTransferMicros(shape.tokens() - decodeCached, missingMicros + suffixMicros, decode);
        return new CostParts(
                admissionMicros(decode, blocksFor(shape) - blocksFor(decodeCached), decodePending),
                queueMicros(prefill, prefillAgeMicros, prefillPending),
                missingMicros,
                suffixMicros,
                transfer,
                itlMicros(decode, decodePending));
    }

    /** Time until the decode node has computed what it lacks, in chunks between the steps of what runs there. */
    public CostParts local(
            RequestShape shape, NodeLoad decode, double decodeAgeMicros, Pending pending, int decodeCached) {
        return new CostParts(
                admissionMicros(decode, blocksFor(shape) - blocksFor(decodeCached), pending),
                queueMicros(decode, decodeAgeMicros, pending),
                0,
                localComputeMicros(decode, shape.tokens() - decodeCached),
                0,
                itlMicros(decode, pending));
    }

    /** Local prefill without queue: compute, and one decode step of the running batch after each chunk. */
    public double localComputeMicros(NodeLoad decode, int tokens) {
        double compute = tokens / prefillRate(decode) * MICROS;
        if (decode.runningSequences() == 0) {
            return compute;
        }
        int chunks = (tokens + parameters.chunkTokens() - 1) / parameters.chunkTokens();
        return compute + chunks * itlMicros(decode, Pending.NONE);
    }

    /**
     * What local prefill of so many tokens costs the sequences that run there, weighed; remote prefill costs them none.
     */
    public double disturbanceMicros(NodeLoad decode, int tokens) {
        return parameters.disturbance() * decode.runningSequences() * (tokens / prefillRate(decode) * MICROS);
    }

    /** Blocks of a request at its longest: every choice but one shares the prompt's whole blocks. */
    int blocksFor(RequestShape shape) {
        long each = blocksFor(shape.longest());
        long own = each - shape.tokens() / geometry.blockTokens();
        return (int) Math.min(Integer.MAX_VALUE, each + (shape.choices() - 1) * own);
    }

    /** The time the answer takes after its first token. */
    public double decodeMicros(RequestShape shape, NodeLoad decode, Pending pending) {
        return Math.min(shape.maxOutputTokens(), parameters.typicalOutputTokens()) * itlMicros(decode, pending);
    }

    /**
     * Frames of a layer leave while the next one computes, so that transfer costs its last layer, or what it takes
     * longer than compute.
     */
    double exposedTransferMicros(int tokens, double computeMicros, NodeLoad receiver) {
        double rate = receiver.receiveBytesPerSecond() > 0
                ? receiver.receiveBytesPerSecond()
                : parameters.receiveBytesPerSecond();
        double transfer = tokens * (double) geometry.bytesPerToken() / rate * MICROS;
        return Math.max(transfer / geometry.layers(), transfer - computeMicros);
    }
}

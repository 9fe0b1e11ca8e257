package io.baton.routing;

/**
 * A node's load as it last reported it.
 *
 * @param queuedPrefillTokens prompt tokens admitted or waiting and not yet computed
 * @param usedBlocks blocks pinned by sequences and transfers; cached blocks can be evicted, these cannot
 * @param prefillTokensPerSecond of long prompts, as measured; 0 until known
 * @param decodeStepMicros measured mean of recent decode steps without prompts; 0 until known
 * @param receiveBytesPerSecond measured rate at which KV arrives here; 0 until known
 */
public record NodeLoad(
        long queuedPrefillTokens,
        int runningSequences,
        int waitingSequences,
        int freeBlocks,
        int cachedBlocks,
        int usedBlocks,
        double prefillTokensPerSecond,
        double decodeStepMicros,
        double receiveBytesPerSecond) {

    /** Nothing queued, nothing running, nothing measured. */
    public static final NodeLoad UNKNOWN = new NodeLoad(0, 0, 0, 0, 0, 0, 0, 0, 0);

    public NodeLoad {
        // A node's report is input from outside: what cannot be true must not turn an estimate negative or NaN.
        queuedPrefillTokens = Math.max(0, queuedPrefillTokens);
        runningSequences = Math.max(0, runningSequences);
        waitingSequences = Math.max(0, waitingSequences);
        freeBlocks = Math.max(0, freeBlocks);
        cachedBlocks = Math.max(0, cachedBlocks);
        usedBlocks = Math.max(0, usedBlocks);
        prefillTokensPerSecond = finiteOrZero(prefillTokensPerSecond);
        decodeStepMicros = finiteOrZero(decodeStepMicros);
        receiveBytesPerSecond = finiteOrZero(receiveBytesPerSecond);
    }

    private static double finiteOrZero(double value) {
        return value > 0 && value < Double.POSITIVE_INFINITY ? value : 0;
    }
}

package io.baton.serving.telemetry;

/**
 * What a node's gauges show.
 *
 * @param runningSequences sequences in the running batch
 * @param waitingSequences requests waiting for admission or prefill
 * @param prefixQueryTokens prompt tokens looked up in the prefix cache since start
 * @param prefixHitTokens of those, tokens found there
 */
public record NodeSample(
        int blockTokens,
        int blockCapacity,
        int usedBlocks,
        int cachedBlocks,
        int freeBlocks,
        int runningSequences,
        int waitingSequences,
        long queuedPrefillTokens,
        long prefixQueryTokens,
        long prefixHitTokens) {

    /** Share of blocks that sequences hold, 0 to 1. */
    public double usage() {
        return blockCapacity == 0 ? 0 : (double) usedBlocks / blockCapacity;
    }
}

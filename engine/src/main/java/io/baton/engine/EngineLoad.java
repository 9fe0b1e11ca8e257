package io.baton.engine;

/**
 * A snapshot of an engine's load, for routing and metrics.
 *
 * @param queuedPrefillTokens prompt tokens admitted or waiting and not yet computed here
 * @param runningSequences sequences in the running batch
 * @param waitingSequences requests waiting for admission or prefill
 * @param prefillTokensPerSecond of long prompts, as measured; 0 until known
 * @param decodeStepMicros measured mean of recent decode steps without prompts; 0 until known
 */
public record EngineLoad(
        long queuedPrefillTokens,
        int runningSequences,
        int waitingSequences,
        int blockCapacity,
        int freeBlocks,
        int cachedBlocks,
        int usedBlocks,
        double prefillTokensPerSecond,
        double decodeStepMicros) {

    public EngineLoad withCosts(double prefillTokensPerSecond, double decodeStepMicros) {
        return new EngineLoad(
                queuedPrefillTokens,
                runningSequences,
                waitingSequences,
                blockCapacity,
                freeBlocks,
                cachedBlocks,
                usedBlocks,
                prefillTokensPerSecond,
                decodeStepMicros);
    }
}

package io.baton.engine;

import java.util.OptionalLong;

/**
 * One node's engine.
 *
 * @param blockTokens positions per KV block: 16, 32, 64 or 128
 * @param kvType element type of cached K and V
 * @param chunkTokens at most this many prompt tokens per prefill chunk
 * @param poolBytes size of the KV pool; empty takes what the memory budget leaves
 * @param maxSequences sequences that may run at once
 * @param maxWaiting requests that may wait for admission; more are refused
 */
public record EngineOptions(
        int blockTokens, KvType kvType, int chunkTokens, OptionalLong poolBytes, int maxSequences, int maxWaiting) {

    public static final int DEFAULT_BLOCK_TOKENS = 32;
    public static final int DEFAULT_CHUNK_TOKENS = 256;
    public static final int DEFAULT_MAX_SEQUENCES = 64;
    public static final int DEFAULT_MAX_WAITING = 256;

    public EngineOptions {
        if (blockTokens < 16 || blockTokens > 128 || Integer.bitCount(blockTokens) != 1) {
            throw new IllegalArgumentException("block-tokens must be 16, 32, 64 or 128, found " + blockTokens);
        }
        requirePositive(chunkTokens, "chunk-tokens");
        requirePositive(maxSequences, "max-sequences");
        requirePositive(maxWaiting, "max-waiting");
    }

    public static EngineOptions defaults() {
        return new EngineOptions(
                DEFAULT_BLOCK_TOKENS,
                KvType.BF16,
                DEFAULT_CHUNK_TOKENS,
                OptionalLong.empty(),
                DEFAULT_MAX_SEQUENCES,
                DEFAULT_MAX_WAITING);
    }

    private static void requirePositive(int value, String name) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, found " + value);
        }
    }
}

package io.baton.routing;

/**
 * Bounds of a router's work and memory.
 *
 * @param shortlist nodes of each side that are joined into pairs
 * @param rankedPrefillNodes prefill nodes named in a route
 * @param maxWaiting requests a decode node may have waiting before it gets no more
 * @param recentDecisions own decisions remembered until the nodes' reports show them
 * @param recentMillis after which a decision is forgotten anyway
 * @param settleMillis a load report this much younger than a decision shows it
 * @param predictedBlocks blocks remembered as about to be cached; a power of two, or 0
 * @param predictedMillis after which such a prediction is forgotten
 * @param seed of the noise that breaks ties; different for each gateway
 */
public record RouterOptions(
        int shortlist,
        int rankedPrefillNodes,
        int maxWaiting,
        int recentDecisions,
        long recentMillis,
        long settleMillis,
        int predictedBlocks,
        long predictedMillis,
        long seed) {

    public RouterOptions {
        atLeastOne(shortlist, "shortlist");
        atLeastOne(rankedPrefillNodes, "rankedPrefillNodes");
        atLeastOne(maxWaiting, "maxWaiting");
        atLeastOne(recentDecisions, "recentDecisions");
        if (predictedBlocks != 0 && Integer.bitCount(predictedBlocks) != 1) {
            throw new IllegalArgumentException("predictedBlocks must be 0 or a power of two, found " + predictedBlocks);
        }
    }

    /** 5 s of predictions as in Dynamo's router; decisions count for two heartbeats at most. */
    public static RouterOptions withSeed(long seed) {
        return new RouterOptions(4, 3, 256, 4_096, 2_000, 50, 1 << 16, 5_000, seed);
    }

    private static void atLeastOne(int value, String name) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, found " + value);
        }
    }
}

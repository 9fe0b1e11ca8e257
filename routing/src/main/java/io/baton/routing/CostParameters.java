package io.baton.routing;

/**
 * What the cost model assumes where no node has measured yet, and what it weighs.
 *
 * @param prefillTokensPerSecond prior of a node's prefill rate; its own measurement replaces it
 * @param decodeStepMicros prior of a decode step
 * @param receiveBytesPerSecond prior of the rate at which KV arrives at a decode node
 * @param fetchBytesPerSecond rate at which a prefill node can fetch a prefix that others have cached; 0: nodes do not
 *     fetch
 * @param handoffMicros fixed cost of a remote prefill: opening the stream, grant, result
 * @param chunkTokens prompt tokens a decode node computes between two decode steps
 * @param typicalOutputTokens output length assumed where the request's limit does not bound it lower
 * @param stepGrowth share of a decode step that grows with the batch, in [0, 1]; the rest is reading the weights
 * @param disturbance weight, in [0, 1], of the time that local prefill takes from each sequence running beside it
 * @param noise relative amplitude of the noise that breaks ties
 */
public record CostParameters(
        double prefillTokensPerSecond,
        double decodeStepMicros,
        double receiveBytesPerSecond,
        double fetchBytesPerSecond,
        double handoffMicros,
        int chunkTokens,
        int typicalOutputTokens,
        double stepGrowth,
        double disturbance,
        double noise) {

    /** Two CPU cores and a 1 GB/s network; right within a factor that the nodes' own measurements soon correct. */
    public static final CostParameters DEFAULT =
            new CostParameters(500, 30_000, 1e9, 0, 2_000, 256, 128, 0.5, 0.25, 0.02);

    public CostParameters {
        positive(prefillTokensPerSecond, "prefillTokensPerSecond");
        positive(decodeStepMicros, "decodeStepMicros");
        positive(receiveBytesPerSecond, "receiveBytesPerSecond");
        within(fetchBytesPerSecond, Double.MAX_VALUE, "fetchBytesPerSecond");
        within(handoffMicros, Double.MAX_VALUE, "handoffMicros");
        positive(chunkTokens, "chunkTokens");
        positive(typicalOutputTokens, "typicalOutputTokens");
        within(stepGrowth, 1, "stepGrowth");
        within(disturbance, 1, "disturbance");
        within(noise, 1, "noise");
    }

    private static void positive(double value, String name) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(name + " must be above 0 and finite, found " + value);
        }
    }

    private static void within(double value, double limit, String name) {
        if (!(value >= 0 && value <= limit)) {
            throw new IllegalArgumentException("%s must be in [0, %s], found %s".formatted(name, limit, value));
        }
    }
}

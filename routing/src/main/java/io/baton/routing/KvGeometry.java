package io.baton.routing;

/**
 * What routing must know of a model's KV.
 *
 * @param blockTokens positions per block
 * @param layers layers whose KV travels; frames of one leave while the next computes
 * @param bytesPerToken KV bytes of one position over all layers
 */
public record KvGeometry(int blockTokens, int layers, long bytesPerToken) {

    public KvGeometry {
        if (blockTokens < 1 || layers < 1 || bytesPerToken < 0) {
            throw new IllegalArgumentException(
                    "expected blockTokens >= 1, layers >= 1, bytesPerToken >= 0, found %d, %d, %d"
                            .formatted(blockTokens, layers, bytesPerToken));
        }
    }
}

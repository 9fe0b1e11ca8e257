package io.baton.client;

import java.util.List;

/**
 * What a gateway serves.
 *
 * @param numerics e.g. {@code weights=f32,activations=f32,kv=bf16}
 */
public record ModelDescription(
        String name,
        String architecture,
        int contextLength,
        int vocabularySize,
        int blockTokens,
        String numerics,
        List<Integer> endOfSequence) {
    public ModelDescription {
        endOfSequence = List.copyOf(endOfSequence);
    }
}

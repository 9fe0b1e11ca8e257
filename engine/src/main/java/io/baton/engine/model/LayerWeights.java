package io.baton.engine.model;

import io.baton.engine.kernel.PackedMatrix;
import java.util.List;

/**
 * One transformer block of the Llama family.
 *
 * @param attentionNorm address of {@code [dim]} f32, padded to whole vectors; {@code feedForwardNorm} likewise
 * @param query rows in canonical order: elements i and i + half the rotated dimensions of a head form a pair;
 *     {@code key} likewise
 */
public record LayerWeights(
        long attentionNorm,
        PackedMatrix query,
        PackedMatrix key,
        PackedMatrix value,
        PackedMatrix output,
        long feedForwardNorm,
        PackedMatrix gate,
        PackedMatrix up,
        PackedMatrix down) {

    List<PackedMatrix> matrices() {
        return List.of(query, key, value, output, gate, up, down);
    }
}

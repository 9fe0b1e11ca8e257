package io.baton.engine;

import java.util.Locale;

/**
 * Which function a model computes, down to the bit; part of the sequence fingerprint.
 *
 * @param weights how matrices are packed: {@code f32}, {@code bf16}, {@code q8}, {@code q4_k+q6_k} and so on
 * @param activations what activations are rounded to before a matrix product
 * @param kv element type of cached K and V
 */
public record Numerics(String weights, ActivationMode activations, KvType kv) {

    /** The form that goes into the fingerprint. */
    @Override
    public String toString() {
        return "weights=%s,activations=%s,kv=%s"
                .formatted(
                        weights,
                        activations.name().toLowerCase(Locale.ROOT),
                        kv.name().toLowerCase(Locale.ROOT));
    }
}

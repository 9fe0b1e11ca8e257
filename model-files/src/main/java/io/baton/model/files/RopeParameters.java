package io.baton.model.files;

import java.util.Arrays;

/**
 * The rotary embedding of a model: pair i of a head turns by {@code position · base^(−2i / dimensions) / factor[i]},
 * after {@code scaling}.
 *
 * @param dimensions values of a head that are rotated, even
 * @param pairs which rows of the file's query and key matrices form a pair
 * @param frequencyFactors divides each pair's frequency (Llama 3.1's scaling in the form of GGUF's
 *     {@code rope_freqs.weight}); empty means all ones
 */
public record RopeParameters(
        int dimensions, double base, RopePairs pairs, RopeScaling scaling, float[] frequencyFactors) {

    public RopeParameters {
        frequencyFactors = frequencyFactors.clone();
    }

    @Override
    public float[] frequencyFactors() {
        return frequencyFactors.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RopeParameters that
                && dimensions == that.dimensions
                && base == that.base
                && pairs == that.pairs
                && scaling.equals(that.scaling)
                && Arrays.equals(frequencyFactors, that.frequencyFactors);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(frequencyFactors) + Double.hashCode(base) + dimensions;
    }

    /** What the rotation computes, whatever order the file keeps its rows in: goes into the sequence fingerprint. */
    public String describe() {
        return "dimensions=%d,base=%s,scaling=%s,factors=%s"
                .formatted(
                        dimensions,
                        base,
                        scaling,
                        frequencyFactors.length == 0 ? "none" : Arrays.toString(frequencyFactors));
    }
}

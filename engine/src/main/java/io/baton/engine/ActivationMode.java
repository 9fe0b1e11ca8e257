package io.baton.engine;

/** What the activations of a matrix product are rounded to; it also fixes the packed form of the weights. */
public enum ActivationMode {
    /** f32 activations; weights are read as f32, exactly. */
    F32,
    /** Pairs of bf16, accumulated in f32. */
    BF16,
    /**
     * int8 with one f32 scale per 32 values; quantised weights are kept as the file has them, others become int8 with
     * one f16 scale per 32.
     */
    Q8
}

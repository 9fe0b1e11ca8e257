package io.baton.model.files;

/** How a model's rotary embedding was stretched beyond the positions it was first trained for. */
public sealed interface RopeScaling {

    /** Positions as they are. */
    record None() implements RopeScaling {}

    /** Every position divided by {@code factor} (position interpolation, arXiv 2306.15595). */
    record Linear(double factor) implements RopeScaling {}

    /**
     * YaRN (arXiv 2309.00071): low frequencies interpolated, high ones kept, with a ramp between the two betas.
     *
     * @param attentionFactor multiplies the rotated values; 0 when the file leaves it to the paper's {@code 0.1
     *     ln(factor) + 1}
     */
    record Yarn(double factor, int originalContext, double betaFast, double betaSlow, double attentionFactor)
            implements RopeScaling {}

    /**
     * A scheme that cannot be served.
     *
     * @param type as the file names it
     * @param reason why not, for the message that refuses the model
     */
    record Unsupported(String type, String reason) implements RopeScaling {}
}

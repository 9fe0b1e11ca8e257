package io.baton.engine.sample;

/**
 * {@code p(i) = exp(z(i) / T) / sum(exp(z / T))}: below 1 it sharpens the distribution, above 1 it flattens it. Ackley,
 * Hinton, Sejnowski, "A learning algorithm for Boltzmann machines", Cognitive Science 9, 1985. Zero, the limit, is
 * greedy and needs no distribution.
 *
 * @param value above 0
 */
record Temperature(double value) {

    static final Temperature ONE = new Temperature(1);

    /** {@code exp((z - highest) / T)}: the probability relative to that of the most likely token. */
    double weight(float z, float highest) {
        return StrictMath.exp(((double) z - highest) / value);
    }
}

package io.baton.bench;

/**
 * Work of one measured unit and the least time it can take: each kind of work over the machine's limit for it, the
 * longest of which binds.
 *
 * @param bytes that must be read
 * @param productOperations of matrix products, done in the activations' type
 * @param attentionOperations of attention, done in the K and V type
 */
record WorkBound(double bytes, double productOperations, double attentionOperations) {

    /** What binds and for how long. */
    record Limit(String name, double seconds) {

        /** Both, one after the other; named by the longer one. */
        Limit then(Limit next) {
            return new Limit(seconds >= next.seconds ? name : next.name, seconds + next.seconds);
        }
    }

    double operations() {
        return productOperations + attentionOperations;
    }

    /**
     * @param readBytesPerSecond of reads of as much memory as the work reads again and again
     * @param products how matrix products multiply
     * @param attention how attention does
     */
    Limit limit(MachineLimits machine, double readBytesPerSecond, Multiplication products, Multiplication attention) {
        double read = bytes / readBytesPerSecond;
        double arithmetic = productOperations / machine.operationsPerSecond(products)
                + attentionOperations / machine.operationsPerSecond(attention);
        return read >= arithmetic
                ? new Limit("read", read)
                : new Limit((productOperations > 0 ? products : attention).limitName(), arithmetic);
    }
}

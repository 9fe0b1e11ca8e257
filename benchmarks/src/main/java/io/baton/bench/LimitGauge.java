package io.baton.bench;

/**
 * The machine's limit at the moment of each part of a measurement. How fast memory is read is measured just before and
 * just after a part, and the faster counts; what can be multiplied once more in the beginning, since a host that takes
 * processors away can do so during all tries of one time. What was faster than its limit has it measured again. Used by
 * one thread.
 */
final class LimitGauge implements AutoCloseable {

    private static final int MEASURED_AGAIN = 3;

    private final MachineLimits machine;
    private final Multiplication products;
    private final Multiplication attention;
    private final MemoryReads reads;
    private double readsBefore;

    /**
     * @param products how matrix products multiply
     * @param attention how attention does
     * @param workingSet bytes that are read again and again
     */
    LimitGauge(MachineLimits machine, Multiplication products, Multiplication attention, double workingSet) {
        this.machine = machine;
        this.products = products;
        this.attention = attention;
        machine.measureOperations();
        this.reads = machine.reads(workingSet);
        this.readsBefore = reads.perSecond();
    }

    /** The least time the machine needs for what has just been done in {@code seconds}. */
    WorkBound.Limit after(WorkBound work, double seconds) {
        double readsAfter = reads.perSecond();
        WorkBound.Limit limit = limit(work, Math.max(readsBefore, readsAfter));
        for (int again = 0; again < MEASURED_AGAIN && limit.seconds() > seconds; again++) {
            machine.measureOperations();
            readsAfter = Math.max(readsAfter, reads.perSecond());
            limit = limit(work, Math.max(readsBefore, readsAfter));
        }
        readsBefore = readsAfter;
        return limit;
    }

    private WorkBound.Limit limit(WorkBound work, double readBytesPerSecond) {
        return work.limit(machine, readBytesPerSecond, products, attention);
    }

    @Override
    public void close() {
        reads.close();
    }
}

package io.baton.decode;

import io.baton.transfer.ReceiveOutcome;
import java.time.Duration;

/**
 * How fast KV arrives here. A transfer that hid behind compute says only that the way is at least that fast; one that
 * did not is a measurement. Thread-safe.
 */
final class ReceiveRate {

    private static final double WEIGHT = 0.25; // of the newest measurement

    private double bytesPerSecond; // 0 until known; guarded by this

    void observe(ReceiveOutcome.Complete transfer) {
        Duration waited = transfer.elapsed()
                .minus(transfer.senderTimes().queued())
                .minus(transfer.senderTimes().prefixFetch());
        Duration exposed = waited.minus(transfer.senderTimes().compute());
        if (!waited.isPositive() || transfer.received().bytes() == 0) {
            return;
        }
        double rate = transfer.received().bytes() / (waited.toNanos() / 1e9);
        boolean measured = exposed.multipliedBy(2).compareTo(waited) > 0;
        synchronized (this) {
            if (rate > bytesPerSecond) {
                bytesPerSecond = rate;
            } else if (measured) {
                bytesPerSecond += WEIGHT * (rate - bytesPerSecond);
            }
        }
    }

    /** 0 until known. */
    synchronized double bytesPerSecond() {
        return bytesPerSecond;
    }
}

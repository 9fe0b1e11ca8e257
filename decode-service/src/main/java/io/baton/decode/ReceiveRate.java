package io.baton.decode;

import io.baton.transfer.ReceiveOutcome;
import io.baton.transfer.TransferShape;
import java.time.Duration;

/**
 * How fast KV arrives here. A transfer that hid behind compute, or that is smaller than one frame and so a matter of
 * round trips, says only that the way is at least that fast; any other is a measurement. Thread-safe.
 */
final class ReceiveRate {

    private static final double WEIGHT = 0.25; // of the newest measurement

    private double bytesPerSecond; // 0 until known; guarded by this

    void observe(ReceiveOutcome.Complete transfer) {
        Duration waited = transfer.elapsed()
                .minus(transfer.senderTimes().queued())
                .minus(transfer.senderTimes().prefixFetch());
        Duration exposed = waited.minus(transfer.senderTimes().compute());
        long bytes = transfer.received().bytes();
        if (!waited.isPositive() || bytes == 0) {
            return;
        }
        double rate = bytes / (waited.toNanos() / 1e9);
        boolean measured = bytes >= TransferShape.FRAME_PAYLOAD_BYTES
                && exposed.multipliedBy(2).compareTo(waited) > 0;
        synchronized (this) {
            if (bytesPerSecond == 0) {
                bytesPerSecond = measured ? rate : 0;
            } else if (rate > bytesPerSecond) {
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

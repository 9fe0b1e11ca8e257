package io.baton.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.baton.transfer.ReceiveOutcome;
import io.baton.transfer.SenderTimes;
import io.baton.transfer.VerifiedBlocks;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ReceiveRateTest {

    private final ReceiveRate rate = new ReceiveRate();

    @Test
    void aTransferThatHidBehindComputeOnlyRaisesTheRate() {
        rate.observe(transfer(8_000_000, 1_000, 990));
        assertThat(rate.bytesPerSecond()).as("not measured yet").isZero();
        rate.observe(transfer(2_000_000, 1_000, 100));
        rate.observe(transfer(1_000, 1_000, 990));
        assertThat(rate.bytesPerSecond()).isCloseTo(2e6, within(1.0));
        rate.observe(transfer(4_000_000, 1_000, 990));
        assertThat(rate.bytesPerSecond()).isCloseTo(4e6, within(1.0));
    }

    @Test
    void aFewBlocksThatTakeARoundTripDoNotMakeTheWaySeemSlow() {
        rate.observe(transfer(50_000, 20, 5));
        assertThat(rate.bytesPerSecond()).as("not measured yet").isZero();
        rate.observe(transfer(40_000_000, 1_000, 100));
        for (int i = 0; i < 1000; i++) {
            rate.observe(transfer(50_000, 20, 5));
        }
        assertThat(rate.bytesPerSecond()).isCloseTo(4e7, within(1.0));
        rate.observe(transfer(500_000, 5, 1));
        assertThat(rate.bytesPerSecond()).as("at least").isCloseTo(1e8, within(1.0));
    }

    @Test
    void aTransferThatWasWaitedForIsAMeasurement() {
        rate.observe(transfer(4_000_000, 1_000, 100));
        rate.observe(transfer(2_000_000, 1_000, 100));
        assertThat(rate.bytesPerSecond()).isCloseTo(3.5e6, within(1.0));
    }

    @Test
    void nothingIsKnownBeforeTheFirstByte() {
        rate.observe(transfer(0, 5, 1));
        assertThat(rate.bytesPerSecond()).isZero();
    }

    private static ReceiveOutcome.Complete transfer(long bytes, int elapsedMillis, int computeMillis) {
        return new ReceiveOutcome.Complete(
                VerifiedBlocks.whole(1, 1),
                new float[1],
                new SenderTimes(Duration.ZERO, Duration.ZERO, Duration.ofMillis(computeMillis)),
                0,
                new ReceiveOutcome.Received(1, bytes),
                Duration.ofMillis(elapsedMillis));
    }
}

package io.baton.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.GenerationTimes;
import io.baton.proto.v1.TtftParts;
import io.baton.transfer.SenderTimes;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class FirstTokenTimesTest {

    private static final GenerationTimes REMOTE =
            new GenerationTimes(millis(1), Duration.ZERO, Duration.ZERO, millis(4));

    private final AtomicLong now = new AtomicLong(1_000_000_000);
    private final FirstTokenTimes times = new FirstTokenTimes(now::get, 0);

    @Test
    void whatTheSenderMeasuredIsTakenOutOfTheWaitAndTheRestIsExposedTransfer() {
        pass(3);
        times.decided();
        pass(100);
        times.verified(new SenderTimes(millis(20), millis(5), millis(60)));
        pass(4);
        times.sampled(REMOTE);
        TtftParts parts = times.upToNow();
        assertThat(parts.getTotalMicros()).isEqualTo(107_000);
        assertThat(parts.getDecodeAdmissionMicros()).isEqualTo(3_000);
        assertThat(parts.getPrefillQueueMicros()).isEqualTo(20_000);
        assertThat(parts.getPrefixFetchMicros()).isEqualTo(5_000);
        assertThat(parts.getPrefillComputeMicros()).isEqualTo(60_000);
        assertThat(parts.getExposedTransferMicros()).isEqualTo(15_000);
        assertThat(parts.getFirstStepMicros()).isEqualTo(4_000);
        assertThat(parts.getUnattributedMicros()).isZero();
    }

    @Test
    void aSenderWhoseClockRanFasterMakesNoPartNegative() {
        times.decided();
        pass(50);
        times.verified(new SenderTimes(millis(30), millis(0), millis(90)));
        times.sampled(REMOTE);
        TtftParts parts = times.upToNow();
        assertThat(parts.getPrefillQueueMicros()).isEqualTo(30_000);
        assertThat(parts.getPrefillComputeMicros()).isEqualTo(20_000);
        assertThat(parts.getExposedTransferMicros()).isZero();
        assertThat(parts.getTotalMicros()).isEqualTo(50_000);
    }

    @Test
    void whatFailedAttemptsTookWasWaitingForTransfer() {
        times.decided();
        pass(70);
        times.gaveUp();
        pass(35);
        times.sampled(new GenerationTimes(millis(0), millis(5), millis(20), millis(8)));
        pass(1);
        TtftParts parts = times.upToNow();
        assertThat(parts.getExposedTransferMicros()).isEqualTo(70_000);
        assertThat(parts.getPrefillQueueMicros())
                .as("2 ms more than the engine's: it did not look at once")
                .isEqualTo(7_000);
        assertThat(parts.getPrefillComputeMicros()).isEqualTo(20_000);
        assertThat(parts.getFirstStepMicros())
                .as("handing the token over included")
                .isEqualTo(9_000);
        assertThat(parts.getUnattributedMicros()).isZero();
    }

    @Test
    void whatPassedBetweenArrivalAndHandlerIsAdmission() {
        FirstTokenTimes late = new FirstTokenTimes(now::get, millis(6).toNanos());
        pass(1);
        late.decided();
        late.sampled(new GenerationTimes(millis(0), millis(0), millis(0), millis(0)));
        assertThat(late.upToNow().getDecodeAdmissionMicros()).isEqualTo(7_000);
        assertThat(late.upToNow().getTotalMicros()).isEqualTo(7_000);
    }

    private void pass(int millis) {
        now.addAndGet(millis(millis).toNanos());
    }

    private static Duration millis(int millis) {
        return Duration.ofMillis(millis);
    }
}

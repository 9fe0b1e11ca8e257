package io.baton.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MachineLimitsTest {

    @Test
    void everythingThatMayBindIsMeasured() {
        Optional<MachineLimits> measured = MachineLimits.measure(1);
        assumeTrue(measured.isPresent(), "no native kernels");
        MachineLimits limits = measured.get();
        for (Multiplication type : Multiplication.values()) {
            assertThat(limits.operationsPerSecond(type)).isPositive();
        }
        assertThat(limits.operationsPerSecond(Multiplication.BF16))
                .isGreaterThanOrEqualTo(limits.operationsPerSecond(Multiplication.F32));
        assertThat(limits.readBytesPerSecond()).isPositive();
        assertThat(limits.describe()).startsWith("read ").contains(" GB/s, f32 ");
    }

    @Test
    void readsAreMeasuredOverAsMuchMemoryAsTheWorkReadsOrBeyondEveryCache() {
        assertThat(MemoryReads.bytes(1L << 40)).isEqualTo(1L << 29);
        assertThat(MemoryReads.bytes(1L << 27)).isEqualTo(1L << 29);
        assertThat(MemoryReads.bytes((1 << 20) + 5)).isEqualTo(1 << 20);
        assertThat(MemoryReads.bytes(0)).isEqualTo(1 << 16);
        Optional<MachineLimits> measured = MachineLimits.measure(3); // threads whose parts do not divide the memory
        assumeTrue(measured.isPresent(), "no native kernels");
        try (MemoryReads reads = measured.get().reads(1 << 20)) {
            assertThat(reads.perSecond()).isPositive();
            assertThat(reads.perSecond()).isPositive();
        }
    }

    @Test
    void aRowHasTheMedianOfFractionsOfDifferentMoments() {
        List<Repetition> repetitions = List.of(
                new Repetition(4, Optional.of(new WorkBound.Limit("read", 1))),
                new Repetition(2, Optional.of(new WorkBound.Limit("int8", 1))),
                new Repetition(5, Optional.of(new WorkBound.Limit("read", 4.5))));
        assertThat(Repetition.median(repetitions, Repetition::fractionOfLimit)).isEqualTo(0.5);
        assertThat(Repetition.median(repetitions, Repetition::seconds)).isEqualTo(4);
        assertThat(Repetition.middle(repetitions).limitName()).isEqualTo("int8");
        assertThat(new Repetition(1, Optional.empty()).fractionOfLimit()).isZero();
    }

    @Test
    void theLongestOfAllKindsOfWorkBinds() {
        Optional<MachineLimits> measured = MachineLimits.measure(1);
        assumeTrue(measured.isPresent(), "no native kernels");
        MachineLimits limits = measured.get();
        double bytes = 1e9;
        double perSecond = 2e9;
        WorkBound reading = new WorkBound(bytes, 1, 0);
        WorkBound.Limit read = reading.limit(limits, perSecond, Multiplication.INT8, Multiplication.F32);
        assertThat(read.name()).isEqualTo("read");
        assertThat(read.seconds()).isEqualTo(0.5);
        WorkBound.Limit multiply =
                new WorkBound(1, 1e12, 0).limit(limits, perSecond, Multiplication.INT8, Multiplication.F32);
        assertThat(multiply.name()).isEqualTo("int8");
        assertThat(multiply.seconds()).isEqualTo(1e12 / limits.operationsPerSecond(Multiplication.INT8));
        assertThat(new WorkBound(1, 0, 1e12)
                        .limit(limits, perSecond, Multiplication.INT8, Multiplication.F32)
                        .name())
                .isEqualTo("f32");
    }
}

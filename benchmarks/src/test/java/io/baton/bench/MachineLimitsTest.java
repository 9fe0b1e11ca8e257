package io.baton.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class MachineLimitsTest {

    @Test
    void aLimitIsTheSameEachTimeItIsAskedFor() {
        Optional<MachineLimits> measured = MachineLimits.measure(1);
        assumeTrue(measured.isPresent(), "no native kernels");
        MachineLimits limits = measured.get();
        for (Multiplication type : Multiplication.values()) {
            assertThat(limits.operationsPerSecond(type)).isPositive();
        }
        assertThat(limits.operationsPerSecond(Multiplication.BF16))
                .isGreaterThanOrEqualTo(limits.operationsPerSecond(Multiplication.F32));
        assertThat(limits.readBytesPerSecond(1L << 40)).isEqualTo(limits.readBytesPerSecond());
        assertThat(limits.readBytesPerSecond((1 << 20) + 5)).isEqualTo(limits.readBytesPerSecond(1 << 20));
        assertThat(limits.describe()).startsWith("read ").contains(" GB/s, f32 ");
    }

    @Test
    void theLongestOfAllKindsOfWorkBinds() {
        Optional<MachineLimits> measured = MachineLimits.measure(1);
        assumeTrue(measured.isPresent(), "no native kernels");
        MachineLimits limits = measured.get();
        double bytes = 1e9;
        WorkBound reading = new WorkBound(bytes, 1, 0);
        WorkBound.Limit read = reading.limit(limits, bytes, Multiplication.INT8, Multiplication.F32);
        assertThat(read.name()).isEqualTo("read");
        assertThat(read.seconds()).isEqualTo(bytes / limits.readBytesPerSecond());
        WorkBound.Limit multiply =
                new WorkBound(1, 1e12, 0).limit(limits, bytes, Multiplication.INT8, Multiplication.F32);
        assertThat(multiply.name()).isEqualTo("int8");
        assertThat(multiply.seconds()).isEqualTo(1e12 / limits.operationsPerSecond(Multiplication.INT8));
        assertThat(new WorkBound(1, 0, 1e12)
                        .limit(limits, bytes, Multiplication.INT8, Multiplication.F32)
                        .name())
                .isEqualTo("f32");
    }
}

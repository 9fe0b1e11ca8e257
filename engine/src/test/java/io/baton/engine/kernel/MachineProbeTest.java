package io.baton.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The loops run with every instruction set of this machine and count what they do. */
class MachineProbeTest {

    private static final long ITERATIONS = 80;

    @TestFactory
    List<DynamicTest> everyLoopDoesWorkInProportionToItsIterations() {
        return MachineProbe.all().stream()
                .map(probe -> dynamicTest(probe.instructionSet(), () -> {
                    assertThat(probe.f32(ITERATIONS)).isPositive().isEqualTo(2 * probe.f32(ITERATIONS / 2));
                    assertThat(probe.bf16(ITERATIONS)).isPositive().isEqualTo(2 * probe.bf16(ITERATIONS / 2));
                    assertThat(probe.int8(ITERATIONS)).isPositive().isEqualTo(2 * probe.int8(ITERATIONS / 2));
                    assertThat(probe.int8Narrow(ITERATIONS))
                            .isPositive()
                            .isEqualTo(2 * probe.int8Narrow(ITERATIONS / 2));
                    try (Arena arena = Arena.ofConfined()) {
                        long bytes = 1 << 16;
                        long address = arena.allocate(bytes, 64).address();
                        assertThat(probe.readInOrder(address, bytes)).isEqualTo(bytes);
                        assertThat(probe.readInParts(address, bytes)).isEqualTo(bytes);
                    }
                }))
                .toList();
    }
}

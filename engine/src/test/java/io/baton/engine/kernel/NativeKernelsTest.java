package io.baton.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.baton.engine.KvType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every instruction set of the native kernels that this machine runs gives the bits of the definition. */
class NativeKernelsTest {

    private static final int SEEDS = 60;

    @TestFactory
    List<DynamicTest> everyInstructionSetHasTheBitsOfTheDefinition() {
        List<DynamicTest> tests = new ArrayList<>();
        for (NativeKernels kernels : NativeKernels.all()) {
            Differential differential = new Differential(kernels);
            for (MatrixFormat format : MatrixFormat.values()) {
                tests.add(dynamicTest(kernels.name() + " products " + format, () -> {
                    for (int seed = 0; seed < SEEDS; seed++) {
                        differential.product(format, seed);
                    }
                }));
            }
            for (KvType type : KvType.values()) {
                tests.add(dynamicTest(kernels.name() + " attention " + type, () -> {
                    for (int seed = 0; seed < SEEDS; seed++) {
                        differential.attention(type, seed);
                    }
                }));
            }
            tests.add(dynamicTest(kernels.name() + " rows", () -> {
                for (int seed = 0; seed < 10 * SEEDS; seed++) {
                    differential.bf16(seed);
                    differential.elementwise(seed);
                }
            }));
        }
        return tests;
    }

    @Test
    void whereNoneRunsTheReasonIsSaid() {
        assertThat(NativeKernels.whyNone().isEmpty())
                .isEqualTo(!NativeKernels.all().isEmpty());
        assertThatCode(NativeKernels::all).doesNotThrowAnyException();
    }
}

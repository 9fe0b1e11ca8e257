package io.baton.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.KvType;
import java.util.concurrent.atomic.AtomicLong;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The vector kernels give the bits of the scalar ones, and these tests would notice if they did not. What is tagged
 * runs again for each width of vectors.
 */
class VectorKernelsTest {

    private static final int SEEDS = 60;

    private final Differential differential = new Differential(new VectorKernels());

    @Tag("vector-width")
    @ParameterizedTest
    @EnumSource
    void productsHaveTheBitsOfTheDefinition(MatrixFormat format) {
        for (int seed = 0; seed < SEEDS; seed++) {
            differential.product(format, seed);
        }
    }

    @Tag("vector-width")
    @Test
    void rowOperationsHaveTheBitsOfTheDefinition() {
        for (int seed = 0; seed < 10 * SEEDS; seed++) {
            differential.bf16(seed);
            differential.elementwise(seed);
        }
    }

    @Tag("vector-width")
    @ParameterizedTest
    @EnumSource
    void attentionHasTheBitsOfTheDefinition(KvType type) {
        for (int seed = 0; seed < SEEDS; seed++) {
            differential.attention(type, seed);
        }
    }

    @Test
    void warmingUpEndsByItselfAndNeverLaterThanTold() {
        AtomicLong clock = new AtomicLong();
        new VectorKernels().warmUp(clock::getAndIncrement, 800); // on this clock all rounds take the same
        assertThat(clock.get()).isBetween(100L, 110L);
        AtomicLong slow = new AtomicLong();
        new VectorKernels().warmUp(() -> slow.getAndAdd(1000), 800);
        assertThat(slow.get()).isEqualTo(2000);
    }

    @Tag("vector-width")
    @Test
    void vectorsAreAsWideAsToldOrAsTheRegistersAre() {
        int bits = Integer.getInteger(Lanes.BITS_PROPERTY, FloatVector.SPECIES_PREFERRED.vectorBitSize());
        assertThat(Lanes.F32.vectorBitSize()).isEqualTo(Math.clamp(bits, 128, 512));
        assertThat(Lanes.VECTORS * Lanes.F32.length()).isEqualTo(Lanes.COUNT);
    }

    @ParameterizedTest
    @EnumSource
    void aProductInAnotherOrderIsNoticed(MatrixFormat format) {
        Kernels other = new ReorderedKernels();
        assertThatThrownBy(() -> {
                    for (int seed = 0; seed < SEEDS; seed++) {
                        new Differential(other).product(format, seed);
                    }
                })
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("product");
    }

    @Test
    void aRowReductionInAnotherOrderIsNoticed() {
        Kernels other = new ReorderedKernels();
        assertThatThrownBy(() -> {
                    for (int seed = 0; seed < SEEDS; seed++) {
                        new Differential(other).elementwise(seed);
                    }
                })
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("sum of squares");
    }
}

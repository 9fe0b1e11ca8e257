package io.baton.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.baton.engine.memory.OffHeap;
import io.baton.model.files.RopePairs;
import io.baton.model.files.RopeParameters;
import io.baton.model.files.RopeScaling;
import java.lang.foreign.Arena;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RopeTableTest {

    private static final float[] NO_FACTORS = {};

    @Test
    void everyPairTurnsByItsFrequency() {
        RopeTable table = table(new RopeScaling.None(), NO_FACTORS);
        for (int position : new int[] {0, 1, 63, 64, 1999}) {
            for (int pair = 0; pair < 4; pair++) {
                double angle = position * Math.pow(10_000, -pair / 4.0);
                assertThat(cos(table, position, pair)).isEqualTo((float) StrictMath.cos(angle), within(1e-7f));
                assertThat(sin(table, position, pair)).isEqualTo((float) StrictMath.sin(angle), within(1e-7f));
            }
        }
        assertThat(cos(table, 0, 0)).isEqualTo(1);
        assertThat(sin(table, 0, 3)).isZero();
    }

    @Test
    void linearScalingDividesPositions() {
        RopeTable plain = table(new RopeScaling.None(), NO_FACTORS);
        RopeTable scaled = table(new RopeScaling.Linear(4), NO_FACTORS);
        for (int pair = 0; pair < 4; pair++) {
            assertThat(cos(scaled, 400, pair)).isEqualTo(cos(plain, 100, pair), within(1e-6f));
        }
    }

    @Test
    void frequencyFactorsDivideEachPairsFrequency() {
        RopeTable plain = table(new RopeScaling.None(), NO_FACTORS);
        RopeTable scaled = table(new RopeScaling.None(), new float[] {1, 2, 4, 8});
        for (int pair = 0; pair < 4; pair++) {
            assertThat(sin(scaled, 80, pair)).isEqualTo(sin(plain, 80 >> pair, pair), within(1e-6f));
        }
    }

    @Test
    void yarnKeepsFastPairsStretchesSlowOnesAndScalesBoth() {
        RopeScaling.Yarn yarn = new RopeScaling.Yarn(8, 256, 32, 1, 0);
        RopeTable table = table(yarn, NO_FACTORS);
        double magnitude = 0.1 * Math.log(8) + 1;
        assertThat(cos(table, 0, 0)).isEqualTo((float) magnitude);
        assertThat(sin(table, 5, 0)).isEqualTo((float) (Math.sin(5) * magnitude), within(1e-6f));
        double slowest = 5 * Math.pow(10_000, -3 / 4.0) / 8;
        assertThat(sin(table, 5, 3)).isEqualTo((float) (Math.sin(slowest) * magnitude), within(1e-6f));
        RopeTable told = table(new RopeScaling.Yarn(8, 256, 32, 1, 1.5), NO_FACTORS);
        assertThat(cos(told, 0, 0)).isEqualTo(1.5f);
    }

    @Test
    void positionsBeyondTheContextAreRefused() {
        RopeTable table = table(new RopeScaling.None(), NO_FACTORS);
        assertThatThrownBy(() -> table.turn(2000)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> table.turn(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void fileRowsOfAdjacentPairsBecomeHalves() {
        RopeParameters adjacent = new RopeParameters(6, 10_000, RopePairs.ADJACENT, new RopeScaling.None(), NO_FACTORS);
        int[] rows = IntStream.range(0, 16)
                .map(ModelPacker.canonicalRow(adjacent, 8))
                .toArray();
        assertThat(rows).containsExactly(0, 2, 4, 1, 3, 5, 6, 7, 8, 10, 12, 9, 11, 13, 14, 15);
    }

    private static RopeTable table(RopeScaling scaling, float[] factors) {
        RopeParameters rope = new RopeParameters(8, 10_000, RopePairs.HALVES, scaling, factors);
        return new RopeTable(rope, 2000, Arena.ofAuto());
    }

    private static float cos(RopeTable table, int position, int pair) {
        return OffHeap.f32(table.turn(position) + (long) pair * Float.BYTES);
    }

    private static float sin(RopeTable table, int position, int pair) {
        return OffHeap.f32(table.turn(position) + (long) (table.pairs() + pair) * Float.BYTES);
    }
}

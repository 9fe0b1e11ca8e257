package io.baton.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Every number here can be followed with pencil and paper. */
class CostModelTest {

    // 16 tokens per block, 4 layers, 1,000 bytes per token.
    private static final CostParameters PLAIN = new CostParameters(500, 20_000, 2e6, 0, 1_000, 100, 50, 0.5, 0.25, 0);
    private final CostModel costs = new CostModel(TestingCluster.GEOMETRY, PLAIN);

    @Test
    void theQueueIsWorkedOffSinceItWasReported() {
        NodeLoad load = TestingCluster.load(2_000, 0); // 2,000 tokens at 1,000/s
        assertThat(costs.queueMicros(load, 0, Pending.NONE)).isEqualTo(2e6);
        assertThat(costs.queueMicros(load, 5e5, Pending.NONE)).isEqualTo(1.5e6);
        assertThat(costs.queueMicros(load, 9e6, Pending.NONE)).isZero();
        assertThat(costs.queueMicros(load, 9e6, new Pending(100, 1, 0))).isEqualTo(1e5);
    }

    @Test
    void severalChoicesNeedTheBlocksOfOneAndTheirOwnBeyondTheSharedOnes() {
        assertThat(costs.blocksFor(shape(100, 60, 1))).isEqualTo(10);
        // 6 whole blocks of 16 are shared; the partial seventh is copied.
        assertThat(costs.blocksFor(shape(100, 60, 4))).isEqualTo(10 + 3 * 4);
        assertThat(costs.blocksFor(shape(96, 16, 4))).isEqualTo(7 + 3);
    }

    private static RequestShape shape(int tokens, int output, int choices) {
        return new RequestShape(
                new PoolId("", ""),
                tokens,
                output,
                choices,
                BlockKeys.NONE,
                PrefillPlace.AUTO,
                true,
                OptionalLong.empty(),
                Set.of());
    }

    @Test
    void aPriorStandsInForWhatNobodyMeasured() {
        assertThat(costs.queueMicros(new NodeLoad(1_000, 0, 0, 0, 0, 0, 0, 0, 0), 0, Pending.NONE))
                .isEqualTo(2e6);
        assertThat(costs.itlMicros(NodeLoad.UNKNOWN, Pending.NONE)).isEqualTo(20_000);
    }

    @Test
    void oneMoreSequenceLengthensAStepByItsShare() {
        assertThat(costs.itlMicros(TestingCluster.load(0, 0), Pending.NONE)).isEqualTo(10_000);
        // Half of a 10 ms step over 4 sequences grows with the batch: 1.25 ms each.
        assertThat(costs.itlMicros(TestingCluster.load(0, 4), Pending.NONE)).isEqualTo(11_250);
        assertThat(costs.itlMicros(TestingCluster.load(0, 4), new Pending(0, 2, 0)))
                .isEqualTo(13_750);
    }

    @Test
    void transferIsExposedByOneLayerOrByWhatComputeDoesNotHide() {
        // 1,000 tokens are 1 MB: 1 s at 1 MB/s, a quarter of it for the last of 4 layers.
        assertThat(costs.exposedTransferMicros(1_000, 5e6, TestingCluster.idle()))
                .isEqualTo(250_000);
        assertThat(costs.exposedTransferMicros(1_000, 1e5, TestingCluster.idle()))
                .isEqualTo(900_000);
        // Nobody measured: 2 MB/s.
        assertThat(costs.exposedTransferMicros(1_000, 5e6, NodeLoad.UNKNOWN)).isEqualTo(125_000);
    }

    @Test
    void remotePrefillAddsUp() {
        CostParts parts = costs.remote(
                TestingCluster.request(1_000),
                TestingCluster.load(500, 0),
                0,
                Pending.NONE,
                320,
                TestingCluster.idle(),
                Pending.NONE,
                160,
                640);
        assertThat(parts.admission()).isZero();
        assertThat(parts.queue()).isEqualTo(500_000);
        assertThat(parts.history())
                .as("without fetch, history is what the node has itself")
                .isZero();
        assertThat(parts.suffix()).isEqualTo(680_000);
        assertThat(parts.transfer())
                .as("840 tokens, 0.84 s, hidden but for a quarter")
                .isEqualTo(1_000 + 210_000);
        assertThat(parts.firstStep()).isEqualTo(10_000);
        assertThat(parts.ttftMicros()).isCloseTo(1_401_000, within(1e-6));
        assertThat(parts.prefillMicros()).isCloseTo(1_391_000, within(1e-6));
    }

    @Test
    void missingHistoryIsFetchedWhenThatIsCheaperThanComputingIt() {
        CostModel fetching = new CostModel(
                TestingCluster.GEOMETRY, new CostParameters(500, 20_000, 2e6, 4e6, 1_000, 100, 50, 0.5, 0.25, 0));
        CostParts parts = fetching.remote(
                TestingCluster.request(1_000),
                TestingCluster.idle(),
                0,
                Pending.NONE,
                320,
                TestingCluster.idle(),
                Pending.NONE,
                0,
                720);
        assertThat(parts.history()).as("400 tokens, 400 kB at 4 MB/s").isEqualTo(100_000);
        assertThat(parts.suffix()).isEqualTo(280_000);
    }

    @Test
    void localPrefillMakesRoomForDecodeStepsBetweenChunks() {
        assertThat(costs.localComputeMicros(TestingCluster.load(0, 0), 250)).isEqualTo(250_000);
        // 3 chunks of 100, each followed by a step of 11.25 ms.
        assertThat(costs.localComputeMicros(TestingCluster.load(0, 4), 250)).isEqualTo(250_000 + 3 * 11_250);
        assertThat(costs.disturbanceMicros(TestingCluster.load(0, 4), 250)).isEqualTo(250_000);
        assertThat(costs.disturbanceMicros(TestingCluster.load(0, 0), 250)).isZero();
    }

    @Test
    void admissionIsFreeWithRoomAndCostsEndingSequencesWithout() {
        assertThat(costs.admissionMicros(TestingCluster.load(0, 4), 100, Pending.NONE))
                .isZero();
        // 5,000 blocks are free or evictable: 5,001 are not there; one of 4 sequences ends every 50 × 11.25 ms / 4.
        assertThat(costs.admissionMicros(TestingCluster.load(0, 4), 5_001, Pending.NONE))
                .isEqualTo(140_625);
        assertThat(costs.admissionMicros(TestingCluster.waiting(4, 1), 1, Pending.NONE))
                .isEqualTo(281_250);
        assertThat(costs.admissionMicros(TestingCluster.load(0, 4), 1, new Pending(0, 0, 5_000)))
                .isEqualTo(140_625);
        assertThat(costs.admissionMicros(NodeLoad.UNKNOWN, 1_000_000, Pending.NONE))
                .as("pool not reported")
                .isZero();
    }
}

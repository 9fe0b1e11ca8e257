package io.baton.engine.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.baton.engine.ActivationMode;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.ModelShape;
import io.baton.engine.kernel.KernelProvider;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.ReorderedKernels;
import io.baton.engine.kernel.ScalarKernels;
import io.baton.engine.kernel.VectorKernels;
import io.baton.engine.model.PackedModel;
import io.baton.engine.model.RandomModel;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a sequence gives depends on its tokens alone, bit for bit; the reference is the scalar definition, run whole.
 */
class OneSequenceOneAnswerTest {

    private static final int WHOLE = Integer.MAX_VALUE / 8;
    private static final Kernels SCALAR = new ScalarKernels();
    private static final Kernels VECTOR = new VectorKernels();
    private static final Kernels FASTEST = KernelProvider.of(KernelChoice.AUTO); // native ones where there are any

    static Iterable<Arguments> numerics() {
        return Arrays.stream(ActivationMode.values())
                .flatMap(mode -> Arrays.stream(KvType.values()).map(kv -> Arguments.of(mode, kv)))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("numerics")
    void chunksBatchesBlocksThreadsAndProvidersDoNotShow(ActivationMode mode, KvType kv) {
        for (ModelShape shape : new ModelShape[] {RandomModel.smallShape(), RandomModel.oddShape()}) {
            try (PackedModel model = RandomModel.of(shape, mode, 7)) {
                SequenceRun reference = new SequenceRun(model, SCALAR, kv, 1, 32, WHOLE, 0);
                SequenceRun vector = reference.with(VECTOR);
                for (int length : new int[] {1, 31, 32, 33, 290}) { // around blocks, and beyond a segment
                    int[] tokens = reference.randomTokens(length, length);
                    SequenceRun.Answer expected = reference.of(tokens);
                    same(vector, tokens, expected);
                    same(vector.inChunksOf(1), tokens, expected);
                    same(vector.inChunksOf(7).onThreads(2).inBlocksOf(16), tokens, expected);
                    same(vector.inChunksOf(32).among(4), tokens, expected);
                    same(vector.inChunksOf(100).inBlocksOf(64).onThreads(2).among(2), tokens, expected);
                    same(vector.inBlocksOf(128), tokens, expected);
                    same(reference.with(FASTEST).inChunksOf(33).onThreads(2).among(3), tokens, expected);
                    same(reference.inChunksOf(7).inBlocksOf(64).among(1), tokens, expected);
                }
            }
        }
    }

    @Test
    void matricesOfEveryQuantisedTypeInOneModelDoNotShowEither() {
        try (PackedModel model = RandomModel.mixed(RandomModel.wideShape(), ActivationMode.Q8, 7)) {
            assertThat(model.formats()).hasSize(9);
            SequenceRun reference = new SequenceRun(model, SCALAR, KvType.BF16, 1, 32, WHOLE, 0);
            int[] tokens = reference.randomTokens(37, 1);
            SequenceRun.Answer expected = reference.of(tokens);
            same(reference.inChunksOf(7).onThreads(2).inBlocksOf(16), tokens, expected);
            same(reference.with(VECTOR).inChunksOf(32).onThreads(2), tokens, expected);
            SequenceRun fastest = reference.with(FASTEST);
            same(fastest, tokens, expected);
            same(fastest.inChunksOf(1), tokens, expected);
            same(fastest.inChunksOf(7).onThreads(2).inBlocksOf(16).among(4), tokens, expected);
        }
    }

    @Test
    void aProviderWithAnotherReductionOrderIsNoticed() {
        try (PackedModel model = RandomModel.of(RandomModel.smallShape(), ActivationMode.F32, 7)) {
            SequenceRun reference = new SequenceRun(model, SCALAR, KvType.F32, 1, 32, WHOLE, 0);
            int[] tokens = reference.randomTokens(10, 1);
            SequenceRun.Answer expected = reference.of(tokens);
            SequenceRun.Answer found = reference.with(new ReorderedKernels()).of(tokens);
            assertThat(found.differenceFrom(expected)).isNotEmpty();
            assertThat(found.logits()[0]).isCloseTo(expected.logits()[0], within(1e-3f));
        }
    }

    private static void same(SequenceRun run, int[] tokens, SequenceRun.Answer expected) {
        assertThat(run.of(tokens).differenceFrom(expected))
                .as(() -> "%d tokens as %s".formatted(tokens.length, run))
                .isEmpty();
    }
}

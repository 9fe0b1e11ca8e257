package io.baton.engine.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.ActivationMode;
import io.baton.engine.KvType;
import io.baton.engine.ModelShape;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.ScalarKernels;
import io.baton.engine.kernel.VectorKernels;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import io.baton.engine.model.PackedModel;
import io.baton.engine.model.RandomModel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A sequence whose activations overflow ends alone. */
class NotFiniteTest {

    private static final int POISON = 5;

    @ParameterizedTest
    @EnumSource
    void onlyTheSequenceThatOverflowsIsFlagged(KvType kv) {
        for (Kernels kernels : new Kernels[] {new ScalarKernels(), new VectorKernels()}) {
            ModelShape shape = RandomModel.smallShape();
            try (PackedModel model = RandomModel.of(shape, ActivationMode.F32, 3);
                    ComputeTeam team = ComputeTeam.of(2);
                    KvPool pool =
                            KvPool.allocate(new KvLayout(kv, 16, shape.kvHeads(), shape.headDim()), shape.layers(), 3);
                    ForwardPass pass = new ForwardPass(kernels, model, pool, team, 30)) {
                OffHeap.f32(model.embedding().panel(0) + POISON * Float.BYTES, 3e38f);
                float[] alone = hidden(pass, 0, new int[] {1, 2, 3, 4}, 0);
                float[] among = hidden(pass, 1, new int[] {1, 2, 3, 4}, 1);
                assertThat(among).isEqualTo(alone);
            }
        }
    }

    /** The state of {@code tokens} in block {@code block}, with {@code others} poisoned sequences around it. */
    private static float[] hidden(ForwardPass pass, int block, int[] tokens, int others) {
        Batch batch = new Batch(30);
        int[] poisoned = {7, POISON, 8, 9};
        for (int i = 0; i < others; i++) {
            batch.add(poisoned, 0, 4, 0, new int[] {2}, true);
        }
        int entry = batch.add(tokens, 0, tokens.length, 0, new int[] {block}, true);
        pass.run(batch, LayerListener.NONE);
        assertThat(pass.finite(entry)).isTrue();
        for (int i = 0; i < others; i++) {
            assertThat(pass.finite(i)).isFalse();
        }
        float[] hidden = new float[RandomModel.smallShape().dim()];
        pass.hidden(entry, hidden);
        return hidden;
    }
}

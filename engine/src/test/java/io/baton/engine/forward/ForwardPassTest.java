package io.baton.engine.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.ActivationMode;
import io.baton.engine.KvType;
import io.baton.engine.ModelShape;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.ScalarKernels;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.model.PackedModel;
import io.baton.engine.model.RandomModel;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ForwardPassTest {

    private static final ModelShape SHAPE = RandomModel.smallShape();

    private final PackedModel model = RandomModel.of(SHAPE, ActivationMode.F32, 1);
    private final ComputeTeam team = ComputeTeam.of(1);
    private final KvPool pool =
            KvPool.allocate(new KvLayout(KvType.F32, 16, SHAPE.kvHeads(), SHAPE.headDim()), SHAPE.layers(), 3);
    private final ForwardPass pass = new ForwardPass(new ScalarKernels(), model, pool, team, 20);
    private final Batch batch = new Batch(25);

    @AfterEach
    void close() {
        pass.close();
        pool.close();
        team.close();
        model.close();
    }

    @Test
    void aLayerIsReportedWhenItsKeysAndValuesAreInThePoolAndTheNextLayersAreNot() {
        batch.add(new int[] {1, 2, 3}, 0, 3, 0, new int[] {2}, false);
        List<Integer> reported = new ArrayList<>();
        pass.run(batch, layer -> {
            reported.add(layer);
            for (int l = 0; l < SHAPE.layers(); l++) {
                assertThat(written(l, 2)).isEqualTo(l <= layer);
            }
        });
        assertThat(reported).containsExactly(0, 1);
        assertThat(written(0, 0)).isFalse();
        assertThat(written(0, 1)).isFalse();
    }

    @Test
    void logitsOfManyStatesAreThoseOfEach() {
        float[][] hidden = new float[37][SHAPE.dim()];
        for (int i = 0; i < hidden.length; i++) {
            for (int d = 0; d < SHAPE.dim(); d++) {
                hidden[i][d] = (float) Math.sin(i * 31 + d);
            }
        }
        float[][] together = new float[37][SHAPE.vocabularySize()];
        pass.logits(hidden, 37, together);
        for (int i = 0; i < hidden.length; i++) {
            float[][] alone = new float[1][SHAPE.vocabularySize()];
            pass.logits(new float[][] {hidden[i]}, 1, alone);
            assertThat(together[i]).isEqualTo(alone[0]);
        }
    }

    @Test
    void whatWouldReadOrWriteElsewhereIsRefused() {
        refused(new int[] {SHAPE.vocabularySize()}, 0, "token 100 of a vocabulary of 100");
        refused(new int[] {-1}, 0, "token -1");
        refused(new int[17], 0, "positions up to 17; blocks cover 16");
        refused(new int[1], 16, "positions up to 17; blocks cover 16");
        refused(new int[21], 0, "21 rows, at most 20 fit");
        assertThatThrownBy(() -> batch.add(new int[26], 0, 26, 0, new int[2], false))
                .hasMessageContaining("1 to 25 rows");
        batch.add(new int[1], 0, 1, 0, new int[] {3}, false);
        assertThatThrownBy(() -> pass.run(batch, LayerListener.NONE)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void aHiddenStateNobodyAskedForIsNotGiven() {
        int entry = batch.add(new int[1], 0, 1, 0, new int[1], false);
        pass.run(batch, LayerListener.NONE);
        assertThatThrownBy(() -> pass.hidden(entry, new float[SHAPE.dim()])).isInstanceOf(IllegalStateException.class);
    }

    private void refused(int[] tokens, int position, String reason) {
        batch.clear();
        batch.add(tokens, 0, tokens.length, position, new int[1], false);
        assertThatThrownBy(() -> pass.run(batch, LayerListener.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
        batch.clear();
    }

    private boolean written(int layer, int block) {
        for (byte b : pool.unit(layer, block).toArray(ValueLayout.JAVA_BYTE)) {
            if (b != 0) {
                return true;
            }
        }
        return false;
    }
}

package io.baton.engine.forward;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.baton.engine.ActivationMode;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.ModelShape;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.KernelProvider;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.model.PackedModel;
import io.baton.engine.model.RandomModel;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A step makes no garbage: neither the thread that runs the pass nor the compute team allocates. */
class PassAllocationTest {

    private static final int WARM_UP_STEPS = 3000; // what the compiler leaves in place is gone by then
    private static final int STEPS = 200;
    private static final int SEQUENCES = 3;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @EnumSource(ActivationMode.class)
    void aDecodeStepAllocatesNothing(ActivationMode mode) {
        Kernels kernels = KernelProvider.of(KernelChoice.AUTO);
        ModelShape shape = RandomModel.smallShape();
        try (PackedModel model = RandomModel.of(shape, mode, 1);
                ComputeTeam team = ComputeTeam.of(2);
                KvPool pool = KvPool.allocate(
                        new KvLayout(KvType.BF16, 16, shape.kvHeads(), shape.headDim()), shape.layers(), SEQUENCES);
                ForwardPass pass = new ForwardPass(kernels, model, pool, team, SEQUENCES)) {
            Step step = new Step(pass, shape);
            for (int i = 0; i < WARM_UP_STEPS; i++) {
                step.run();
            }
            long before = allocatedByWorkers() + THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < STEPS; i++) {
                step.run();
            }
            // This thread comes first now and came last before: listing threads allocates, the more the more there are.
            long after = THREADS.getCurrentThreadAllocatedBytes() + allocatedByWorkers();
            // An object per step, or any per layer or stage, would be at least 16 bytes each.
            assertThat((after - before) / STEPS).isLessThan(16);
        }
    }

    private static long allocatedByWorkers() {
        long bytes = 0;
        for (long id : THREADS.getAllThreadIds()) {
            ThreadInfo thread = THREADS.getThreadInfo(id);
            if (thread != null && thread.getThreadName().startsWith("baton-compute-")) {
                bytes += THREADS.getThreadAllocatedBytes(id);
            }
        }
        return bytes;
    }

    private static final class Step {

        private final ForwardPass pass;
        private final Batch batch = new Batch(SEQUENCES);
        private final int[] tokens = {5};
        private final int[][] tables = new int[SEQUENCES][];
        private final float[][] hidden;
        private final float[][] logits;

        Step(ForwardPass pass, ModelShape shape) {
            this.pass = pass;
            hidden = new float[SEQUENCES][shape.dim()];
            logits = new float[SEQUENCES][shape.vocabularySize()];
            for (int i = 0; i < SEQUENCES; i++) {
                tables[i] = new int[] {i};
            }
        }

        void run() {
            batch.clear();
            for (int[] table : tables) {
                batch.add(tokens, 0, 1, 7, table, true);
            }
            pass.run(batch, LayerListener.NONE);
            for (int i = 0; i < SEQUENCES; i++) {
                pass.hidden(i, hidden[i]);
            }
            pass.logits(hidden, SEQUENCES, logits);
        }
    }
}

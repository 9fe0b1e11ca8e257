package io.baton.engine.forward;

import io.baton.engine.EngineHost;
import io.baton.engine.KvType;
import io.baton.engine.memory.KvPool;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Greedy decoding of one sequence straight on a forward pass. */
final class GreedyRun {

    private GreedyRun() {}

    /** Prefills the prompt whole, then decodes until {@code outputs} tokens or BOS, as the goldens do. */
    static int[] tokens(EngineHost host, KvType kv, int[] prompt, int outputs) {
        int length = prompt.length + outputs;
        int blocks = Math.ceilDiv(length, 32);
        try (KvPool pool = KvPool.allocate(host.kvLayout(kv, 32), host.shape().layers(), blocks);
                ForwardPass pass = host.forwardPass(pool, prompt.length)) {
            Batch batch = new Batch(prompt.length);
            int[] table = IntStream.range(0, blocks).toArray();
            float[][] hidden = new float[1][host.shape().dim()];
            float[][] logits = new float[1][host.shape().vocabularySize()];
            int[] sequence = Arrays.copyOf(prompt, length);
            int done = 0;
            int count = 0;
            while (count < outputs) {
                batch.clear();
                int end = prompt.length + count;
                batch.add(sequence, done, end - done, done, table, true);
                pass.run(batch, LayerListener.NONE);
                pass.hidden(0, hidden[0]);
                pass.logits(hidden, 1, logits);
                done = end;
                int next = highest(logits[0]);
                sequence[end] = next;
                count++;
                if (next == 1) {
                    break;
                }
            }
            return Arrays.copyOfRange(sequence, prompt.length, prompt.length + count);
        }
    }

    static int highest(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }
}

package io.baton.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.EngineHost;
import io.baton.engine.HostOptions;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.engine.ModelShape;
import io.baton.engine.forward.Batch;
import io.baton.engine.forward.ForwardPass;
import io.baton.engine.forward.LayerListener;
import io.baton.engine.memory.KvPool;
import io.baton.testing.TinyModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the next token costs without a KV cache and with one, as the sequence grows: the report of docs/kv-cache.md.
 * That the two give the same logits is asserted; how long they take is only shown.
 */
class TwoCostsTest {

    private static final int[] LENGTHS = {64, 128, 256, 512, 1024, 2048};
    private static final int BLOCK_TOKENS = 32;
    private static final int REPETITIONS = 5;

    @TempDir
    static Path folder;

    @Test
    void withoutACacheATokenCostsTheWholeSequenceWithOneItsOwnRowAndAttention() throws Exception {
        TinyModel model = new TinyModel(4, 256, 8, 4, 512, LENGTHS[LENGTHS.length - 1] + 1, 5);
        Path file = model.writeTo(folder.resolve("model.gguf"));
        StringBuilder report = new StringBuilder("""

                cost of the next token, %d layers of width %d, f32
                  length   without cache: MFLOP        ms   with cache: MFLOP        ms
                """.formatted(model.layers(), model.dim()));
        try (EngineHost host = EngineHost.open(file, HostOptions.defaults(), LoadProgress.NONE)) {
            double flatCost = 0;
            for (int length : LENGTHS) {
                try (Sequence sequence = new Sequence(host, length + 1)) {
                    double[] recomputed = sequence.time(0, length + 1);
                    float[] expected = sequence.logits();
                    double[] cached = sequence.time(length, 1);
                    assertThat(sequence.logits())
                            .as("logits after %d tokens", length)
                            .isEqualTo(expected);

                    double without = operations(host.shape(), 0, length + 1);
                    double with = operations(host.shape(), length, length + 1);
                    flatCost = with - attention(host.shape(), length, length + 1);
                    report.append("  %6d   %20.1f  %8.3f   %17.2f  %8.3f%n"
                            .formatted(length, without / 1e6, median(recomputed), with / 1e6, median(cached)));
                    assertThat(without / with)
                            .as("how much the cache saves at %d", length)
                            .isGreaterThan(length / 2.0);
                }
            }
            report.append("  with the cache everything but attention is the same at every length: %.2f MFLOP%n"
                    .formatted(flatCost / 1e6));
        }
        System.out.println(report);
    }

    /** Multiplications and additions for the rows of positions {@code [from, to)}, and the head for the last. */
    private static double operations(ModelShape shape, int from, int to) {
        double attentionWeights = (2.0 * shape.heads() + 2.0 * shape.kvHeads()) * shape.headDim() * shape.dim();
        double weights = shape.layers() * (attentionWeights + 3.0 * shape.hiddenDim() * shape.dim());
        double head = 2.0 * shape.vocabularySize() * shape.dim();
        return 2 * weights * (to - from) + attention(shape, from, to) + head;
    }

    /** Scores and weighted values: each row over all positions up to its own. */
    private static double attention(ModelShape shape, int from, int to) {
        double pairs = (to * (to + 1.0) - from * (from + 1.0)) / 2;
        return 4 * pairs * shape.heads() * shape.headDim() * shape.layers();
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static final class Sequence implements AutoCloseable {

        private final KvPool pool;
        private final ForwardPass pass;
        private final Batch batch;
        private final int[] tokens;
        private final int[] table;
        private final float[][] hidden;
        private final float[][] logits;

        Sequence(EngineHost host, int length) {
            int blocks = Math.ceilDiv(length, BLOCK_TOKENS);
            pool = KvPool.allocate(
                    host.kvLayout(KvType.F32, BLOCK_TOKENS), host.shape().layers(), blocks);
            pass = host.forwardPass(pool, length);
            batch = new Batch(length);
            tokens = TinyModel.prompt(length, length).stream()
                    .mapToInt(Integer::intValue)
                    .toArray();
            table = IntStream.range(0, blocks).toArray();
            hidden = new float[1][host.shape().dim()];
            logits = new float[1][host.shape().vocabularySize()];
        }

        /** Milliseconds of repeated passes over {@code count} tokens from {@code from} on, head included. */
        double[] time(int from, int count) {
            double[] millis = new double[REPETITIONS];
            for (int i = 0; i < REPETITIONS; i++) {
                long start = System.nanoTime();
                batch.clear();
                int entry = batch.add(tokens, from, count, from, table, true);
                pass.run(batch, LayerListener.NONE);
                pass.hidden(entry, hidden[0]);
                pass.logits(hidden, 1, logits);
                millis[i] = (System.nanoTime() - start) / 1e6;
            }
            return millis;
        }

        float[] logits() {
            return logits[0].clone();
        }

        @Override
        public void close() {
            pass.close();
            pool.close();
        }
    }
}

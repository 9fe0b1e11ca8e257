package io.baton.bench;

import io.baton.engine.EngineHost;
import io.baton.engine.KvType;
import io.baton.engine.ModelShape;
import io.baton.engine.forward.Batch;
import io.baton.engine.forward.ForwardPass;
import io.baton.engine.forward.LayerListener;
import io.baton.engine.memory.KvPool;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Pool, block tables and pass of one measurement: some sequences of random tokens, their blocks interleaved. */
final class BenchmarkRun implements AutoCloseable {

    static final int BLOCK_TOKENS = 32;

    private static final long SEED = 7;

    private final KvPool pool;
    private final ForwardPass pass;
    private final Batch batch;
    private final int[][] tables;
    private final int[] tokens;
    private final float[][] hidden;
    private final float[][] logits;
    private final int maxRows;

    /** @param length positions that each sequence may come to */
    BenchmarkRun(EngineHost host, KvType kv, int sequences, int length, int maxRows) {
        this.maxRows = maxRows;
        ModelShape shape = host.shape();
        int blocks = Math.ceilDiv(length, BLOCK_TOKENS);
        pool = KvPool.allocate(host.kvLayout(kv, BLOCK_TOKENS), shape.layers(), sequences * blocks);
        pass = host.forwardPass(pool, maxRows);
        batch = new Batch(maxRows);
        tables = new int[sequences][];
        for (int i = 0; i < sequences; i++) {
            int first = i;
            tables[i] = IntStream.range(0, blocks)
                    .map(block -> block * sequences + first)
                    .toArray();
        }
        tokens = new SplittableRandom(SEED)
                .ints(length, 0, shape.vocabularySize())
                .toArray();
        hidden = new float[sequences][shape.dim()];
        logits = new float[sequences][shape.vocabularySize()];
    }

    /** The first sequence's first {@code length} tokens, in chunks, and the logits of the last. */
    void prefill(int length) {
        for (int from = 0; from < length; from += maxRows) {
            int count = Math.min(maxRows, length - from);
            batch.clear();
            int entry = batch.add(tokens, from, count, from, tables[0], from + count == length);
            pass.run(batch, LayerListener.NONE);
            if (from + count == length) {
                pass.hidden(entry, hidden[0]);
            }
        }
        pass.logits(hidden, 1, logits);
    }

    /**
     * Gives every sequence {@code length} cached tokens: K and V of its first block, computed, stand for those of all
     * others. Speed does not depend on their values.
     */
    void fill(int length) {
        if (length == 0) {
            return;
        }
        prefill(Math.min(length, BLOCK_TOKENS));
        for (int layer = 0; layer < pool.layers(); layer++) {
            for (int block = 1; block < pool.blocks(); block++) {
                pool.unit(layer, block).copyFrom(pool.unit(layer, 0));
            }
        }
    }

    /** One decode step of every sequence, its token at {@code position}. */
    void step(int position) {
        batch.clear();
        for (int[] table : tables) {
            batch.add(tokens, position, 1, position, table, true);
        }
        pass.run(batch, LayerListener.NONE);
        for (int i = 0; i < tables.length; i++) {
            pass.hidden(i, hidden[i]);
        }
        pass.logits(hidden, tables.length, logits);
    }

    /** The first sequence's logits after {@code token} at {@code position}; valid until the next call. */
    float[] logits(int token, int position) {
        tokens[position] = token;
        step(position);
        return logits[0];
    }

    @Override
    public void close() {
        pass.close();
        pool.close();
    }
}

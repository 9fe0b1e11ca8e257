package io.baton.engine.forward;

import io.baton.engine.KvType;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.model.PackedModel;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** How a sequence is run; whatever the way, the same tokens must give the same {@link Answer}. */
record SequenceRun(
        PackedModel model, Kernels kernels, KvType kv, int threads, int blockTokens, int chunk, int companions) {

    /**
     * What a run gives, bit for bit.
     *
     * @param hidden final-norm state of the last row of each chunk that was asked for
     * @param logits of the last token
     * @param keysAndValues the pool's bytes in the order (layer, token, head, dimension), whatever the block size
     */
    record Answer(float[] hidden, float[] logits, byte[] keysAndValues) {

        String differenceFrom(Answer expected) {
            int h = Arrays.mismatch(hidden, expected.hidden);
            int l = Arrays.mismatch(logits, expected.logits);
            int kv = Arrays.mismatch(keysAndValues, expected.keysAndValues);
            return h < 0 && l < 0 && kv < 0
                    ? ""
                    : "hidden differ at %d, logits at %d, K and V at byte %d".formatted(h, l, kv);
        }
    }

    SequenceRun with(Kernels other) {
        return new SequenceRun(model, other, kv, threads, blockTokens, chunk, companions);
    }

    SequenceRun onThreads(int count) {
        return new SequenceRun(model, kernels, kv, count, blockTokens, chunk, companions);
    }

    SequenceRun inBlocksOf(int tokens) {
        return new SequenceRun(model, kernels, kv, threads, tokens, chunk, companions);
    }

    SequenceRun inChunksOf(int tokens) {
        return new SequenceRun(model, kernels, kv, threads, blockTokens, tokens, companions);
    }

    SequenceRun among(int others) {
        return new SequenceRun(model, kernels, kv, threads, blockTokens, chunk, others);
    }

    Answer of(int[] tokens) {
        int rows = Math.min(chunk, tokens.length) * (companions + 1);
        KvLayout layout = new KvLayout(
                kv, blockTokens, model.shape().kvHeads(), model.shape().headDim());
        int blocksEach = Math.ceilDiv(tokens.length, blockTokens);
        try (ComputeTeam team = ComputeTeam.of(threads);
                KvPool pool = KvPool.allocate(layout, model.shape().layers(), blocksEach * (companions + 1));
                ForwardPass pass = new ForwardPass(kernels, model, pool, team, rows)) {
            List<int[]> tables = tables(blocksEach, new Random(companions));
            List<int[]> sequences = new ArrayList<>();
            for (int i = 0; i < companions; i++) {
                sequences.add(randomTokens(tokens.length, 1000 + i));
            }
            sequences.add(companions / 2, tokens);
            Batch batch = new Batch(rows);
            float[][] hidden = new float[1][model.shape().dim()];
            float[][] logits = new float[1][model.shape().vocabularySize()];
            for (int done = 0; done < tokens.length; done += chunk) {
                int count = Math.min(chunk, tokens.length - done);
                int mine = run(pass, batch, sequences, tables, done, count);
                pass.hidden(mine, hidden[0]);
            }
            pass.logits(hidden, 1, logits);
            return new Answer(hidden[0], logits[0], keysAndValues(pool, tables.get(companions / 2), tokens.length));
        }
    }

    private int run(ForwardPass pass, Batch batch, List<int[]> sequences, List<int[]> tables, int done, int count) {
        batch.clear();
        int mine = -1;
        for (int i = 0; i < sequences.size(); i++) {
            // The others are in other places of their own sequences, as far as they come.
            int own = i == companions / 2 ? count : Math.max(1, count - i);
            int entry = batch.add(sequences.get(i), done, own, done, tables.get(i), true);
            mine = i == companions / 2 ? entry : mine;
        }
        Set<Integer> layers = new HashSet<>();
        pass.run(batch, layers::add);
        if (layers.size() != model.shape().layers() || !pass.finite(mine)) {
            throw new AssertionError("layers reported: " + layers + ", finite: " + pass.finite(mine));
        }
        return mine;
    }

    private List<int[]> tables(int blocksEach, Random random) {
        List<Integer> all =
                IntStream.range(0, blocksEach * (companions + 1)).boxed().collect(Collectors.toList());
        Collections.shuffle(all, random);
        List<int[]> tables = new ArrayList<>();
        for (int i = 0; i <= companions; i++) {
            tables.add(all.subList(i * blocksEach, (i + 1) * blocksEach).stream()
                    .mapToInt(Integer::intValue)
                    .toArray());
        }
        return tables;
    }

    int[] randomTokens(int count, long seed) {
        return new Random(seed).ints(count, 0, model.shape().vocabularySize()).toArray();
    }

    private static byte[] keysAndValues(KvPool pool, int[] table, int tokens) {
        KvLayout layout = pool.layout();
        int element = layout.type().bytes();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int layer = 0; layer < pool.layers(); layer++) {
            for (int token = 0; token < tokens; token++) {
                MemorySegment unit = pool.unit(layer, table[token / layout.blockTokens()]);
                int inBlock = token % layout.blockTokens();
                for (int head = 0; head < layout.kvHeads(); head++) {
                    for (int d = 0; d < layout.headDim(); d++) {
                        append(out, unit, layout.key(head, inBlock, d), element);
                        append(out, unit, layout.value(head, inBlock, d), element);
                    }
                    if (layout.type() == KvType.Q8) {
                        append(out, unit, layout.keyScale(head, inBlock), Float.BYTES);
                        append(out, unit, layout.valueScale(head, inBlock), Float.BYTES);
                    }
                }
            }
        }
        return out.toByteArray();
    }

    private static void append(ByteArrayOutputStream out, MemorySegment unit, long offset, int bytes) {
        out.writeBytes(unit.asSlice(offset, bytes).toArray(ValueLayout.JAVA_BYTE));
    }
}

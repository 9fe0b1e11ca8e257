package io.baton.bench;

import io.baton.engine.KvType;
import io.baton.engine.ModelShape;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.KvRows;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Attention of one decode step without anything else: the newest token of one sequence over all before it. */
final class AttentionRun implements AutoCloseable {

    private static final long SEED = 11;

    private final Kernels kernels;
    private final ModelShape shape;
    private final ComputeTeam team;
    private final KvPool pool;
    private final int[] table;
    private final int position;
    private final Arena arena = Arena.ofShared();
    private final long query;
    private final long mixed;
    private final long stride;
    private final long scratch;
    private final long scratchStride;
    private int layer;
    private final ComputeTeam.Task attend = this::attend;

    /** @param depth tokens seen, the newest included */
    AttentionRun(Kernels kernels, ModelShape shape, KvType kv, ComputeTeam team, int depth) {
        this.kernels = kernels;
        this.shape = shape;
        this.team = team;
        this.position = depth - 1;
        int blockTokens = BenchmarkRun.BLOCK_TOKENS;
        int blocks = Math.ceilDiv(depth, blockTokens);
        pool = KvPool.allocate(new KvLayout(kv, blockTokens, shape.kvHeads(), shape.headDim()), shape.layers(), blocks);
        table = IntStream.range(0, blocks).toArray();
        int group = shape.heads() / shape.kvHeads();
        stride = OffHeap.rowBytes(shape.heads() * shape.headDim());
        query = arena.allocate(stride, OffHeap.ALIGNMENT).address();
        mixed = arena.allocate(stride, OffHeap.ALIGNMENT).address();
        scratchStride = OffHeap.aligned(kernels.scratchBytes(shape.headDim(), group));
        scratch = arena.allocate(team.threads() * scratchStride, OffHeap.ALIGNMENT)
                .address();
        fill();
    }

    private void fill() {
        SplittableRandom random = new SplittableRandom(SEED);
        OffHeap.copy(random(random, shape.heads()), shape.heads() * shape.headDim(), query);
        long row = OffHeap.rowBytes(shape.kvHeads() * shape.headDim());
        long key = arena.allocate(row, OffHeap.ALIGNMENT).address();
        long value = arena.allocate(row, OffHeap.ALIGNMENT).address();
        for (int token = 0; token < pool.layout().blockTokens(); token++) {
            OffHeap.copy(random(random, shape.kvHeads()), shape.kvHeads() * shape.headDim(), key);
            OffHeap.copy(random(random, shape.kvHeads()), shape.kvHeads() * shape.headDim(), value);
            KvRows.store(pool, 0, 0, token, key, value);
        }
        for (int l = 0; l < pool.layers(); l++) {
            for (int block = 0; block < pool.blocks(); block++) {
                if (l + block > 0) {
                    pool.unit(l, block).copyFrom(pool.unit(0, 0));
                }
            }
        }
    }

    private float[] random(SplittableRandom random, int heads) {
        float[] values = new float[heads * shape.headDim()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return values;
    }

    /** All layers once. */
    void step() {
        long work = 2L * (position + 1) * shape.heads() * shape.headDim();
        for (layer = 0; layer < shape.layers(); layer++) {
            team.forEach(shape.kvHeads(), work, attend);
        }
    }

    private void attend(int kvHead, int worker) {
        int group = shape.heads() / shape.kvHeads();
        long heads = (long) kvHead * group * shape.headDim() * Float.BYTES;
        kernels.attend(
                pool,
                layer,
                table,
                kvHead,
                position,
                1,
                group,
                query + heads,
                stride,
                mixed + heads,
                stride,
                scratch + worker * scratchStride);
    }

    @Override
    public void close() {
        arena.close();
        pool.close();
    }
}

package io.baton.bench.micro;

import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.kernel.KernelProvider;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.KvRows;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One thread's attention over one KV head: of one token's four query heads, as a decode step has it, and of eight
 * tokens', as prefill has it. A head of 16 dimensions is nearly all softmax.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@SuppressWarnings("NullAway.Init") // JMH calls the setup method first
public class AttendBenchmark {

    private static final int GROUP = 4;
    private static final int BLOCK_TOKENS = 32;

    @Param({"NATIVE", "VECTOR"})
    public KernelChoice kernels;

    @Param
    public KvType kv;

    @Param({"256", "2048", "8192"})
    public int depth;

    @Param({"1", "8"})
    public int tokens;

    @Param({"64", "16"})
    public int headDim;

    private Arena arena;
    private Kernels provider;
    private KvPool pool;
    private int[] table;
    private long query;
    private long y;
    private long scratch;

    @Setup(Level.Trial)
    public void allocate() {
        arena = Arena.ofShared();
        provider = KernelProvider.of(kernels);
        int blocks = Math.ceilDiv(depth, BLOCK_TOKENS);
        pool = KvPool.allocate(new KvLayout(kv, BLOCK_TOKENS, 1, headDim), 1, blocks);
        table = IntStream.range(0, blocks).toArray();
        for (int token = 0; token < depth; token++) {
            long row = RandomRows.allocate(arena, 2, headDim);
            KvRows.store(
                    pool, 0, table[token / BLOCK_TOKENS], token % BLOCK_TOKENS, row, row + OffHeap.rowBytes(headDim));
        }
        query = RandomRows.allocate(arena, tokens, GROUP * headDim);
        y = RandomRows.allocate(arena, tokens, GROUP * headDim);
        scratch = arena.allocate(provider.scratchBytes(headDim, GROUP), OffHeap.ALIGNMENT)
                .address();
    }

    @Benchmark
    public void attend() {
        long stride = OffHeap.rowBytes(GROUP * headDim);
        provider.attend(pool, 0, table, 0, depth - tokens, tokens, GROUP, query, stride, y, stride, scratch);
    }

    @TearDown(Level.Trial)
    public void free() {
        pool.close();
        arena.close();
    }
}

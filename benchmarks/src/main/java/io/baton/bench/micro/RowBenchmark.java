package io.baton.bench.micro;

import io.baton.engine.KernelChoice;
import io.baton.engine.kernel.KernelProvider;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.memory.OffHeap;
import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
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

/** What is done to single rows between products. Values wander within bounds, so that no call meets odd numbers. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@SuppressWarnings("NullAway.Init") // JMH calls the setup method first
public class RowBenchmark {

    private static final int PAIRS = 32;
    private static final float EPSILON = 1e-5f;

    @Param({"NATIVE", "VECTOR"})
    public KernelChoice kernels;

    @Param({"2048", "8192"})
    public int columns;

    private Arena arena;
    private Kernels provider;
    private long x;
    private long other;
    private long turn;
    private long out;

    @Setup(Level.Iteration)
    public void allocate() {
        arena = Arena.ofShared();
        provider = KernelProvider.of(kernels);
        x = RandomRows.allocate(arena, 1, columns);
        other = RandomRows.allocate(arena, 1, columns);
        turn = RandomRows.allocate(arena, 1, 2 * PAIRS);
        for (int i = 0; i < PAIRS; i++) { // a rotation keeps lengths
            OffHeap.f32(turn + (long) i * Float.BYTES, (float) Math.cos(i));
            OffHeap.f32(turn + (long) (PAIRS + i) * Float.BYTES, (float) Math.sin(i));
        }
        out = arena.allocate(2 * OffHeap.rowBytes(columns), OffHeap.ALIGNMENT).address();
    }

    @Benchmark
    public void rmsNorm() {
        provider.normalize(x, other, columns, provider.sumOfSquares(x, columns), EPSILON, out);
    }

    @Benchmark
    public void roundToInt8() {
        provider.round(MatrixFormat.Q8, x, columns, out);
    }

    @Benchmark
    public void roundToBf16() {
        provider.round(MatrixFormat.BF16, x, columns, out);
    }

    /** Of which the exponential is the larger part. */
    @Benchmark
    public void gate() {
        OffHeap.copy(x, out, OffHeap.rowBytes(columns));
        provider.gate(out, other, columns);
    }

    @Benchmark
    public void rotate() {
        for (int head = 0; head < columns; head += 2 * PAIRS) {
            provider.rotate(x + (long) head * Float.BYTES, turn, PAIRS);
        }
    }

    @TearDown(Level.Iteration)
    public void free() {
        arena.close();
    }
}

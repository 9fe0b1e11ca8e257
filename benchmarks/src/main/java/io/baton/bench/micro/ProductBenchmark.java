package io.baton.bench.micro;

import io.baton.engine.KernelChoice;
import io.baton.engine.kernel.KernelProvider;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;
import io.baton.engine.kernel.PanelWriter;
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

/** One thread's product of 1 to 512 rounded rows with a matrix that fits no cache but the last. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@SuppressWarnings("NullAway.Init") // JMH calls the setup method first
public class ProductBenchmark {

    private static final int OUTPUTS = 2048;
    private static final int COLUMNS = 2048;

    @Param({"NATIVE", "VECTOR"})
    public KernelChoice kernels;

    @Param
    public MatrixFormat format;

    @Param({"1", "8", "64", "512"})
    public int rows;

    private Arena arena;
    private Kernels provider;
    private PackedMatrix matrix;
    private long rounded;
    private long y;
    private long scratch;

    @Setup(Level.Trial)
    public void allocate() {
        arena = Arena.ofShared();
        provider = KernelProvider.of(kernels);
        PanelWriter writer = PanelWriter.of(format, OUTPUTS, COLUMNS, arena);
        for (int row = 0; row < OUTPUTS; row++) {
            writer.floats(row, RandomRows.values(COLUMNS));
        }
        matrix = writer.matrix();
        long roundedBytes = provider.roundedBytes(format, COLUMNS);
        rounded = arena.allocate(rows * roundedBytes, OffHeap.ALIGNMENT).address();
        long x = RandomRows.allocate(arena, rows, COLUMNS);
        for (int row = 0; row < rows; row++) {
            provider.round(format, x + row * OffHeap.rowBytes(COLUMNS), COLUMNS, rounded + row * roundedBytes);
        }
        y = RandomRows.allocate(arena, rows, OUTPUTS);
        scratch =
                arena.allocate(provider.scratchBytes(64, 4), OffHeap.ALIGNMENT).address();
    }

    @Benchmark
    public void product() {
        provider.product(matrix, 0, matrix.panelCount(), rounded, rows, y, OffHeap.rowBytes(OUTPUTS), scratch);
    }

    @TearDown(Level.Trial)
    public void free() {
        arena.close();
    }
}

package io.baton.bench.micro;

import io.baton.engine.compute.ComputeTeam;
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

/** What handing work to the compute team costs while it is hot: fork and join of pieces that do next to nothing. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@SuppressWarnings("NullAway.Init") // JMH calls the setup method first
public class ComputeTeamBenchmark {

    private static final long MUCH = Long.MAX_VALUE;

    @Param({"1", "2"})
    public int threads;

    private ComputeTeam team;
    private int[] sums;
    private final ComputeTeam.Range range = this::range;
    private final ComputeTeam.Task task = this::task;

    @Setup(Level.Trial)
    public void start() {
        team = ComputeTeam.of(threads);
        sums = new int[threads * 64];
    }

    @Benchmark
    public int ranges() {
        team.forRanges(threads, MUCH, range);
        return sums[0];
    }

    @Benchmark
    public int tasks() {
        team.forEach(2 * threads, MUCH, task);
        return sums[0];
    }

    private void range(int from, int to, int worker) {
        sums[worker * 64] += to - from;
    }

    private void task(int index, int worker) {
        sums[worker * 64] += index;
    }

    @TearDown(Level.Trial)
    public void stop() {
        team.close();
    }
}

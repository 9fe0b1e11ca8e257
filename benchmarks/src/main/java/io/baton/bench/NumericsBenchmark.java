package io.baton.bench;

import io.baton.engine.ActivationMode;
import io.baton.engine.EngineHost;
import io.baton.engine.HostOptions;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.engine.Numerics;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.model.ModelPacker;
import io.baton.engine.model.PackedModel;
import io.baton.model.files.ModelFile;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;

/**
 * How far the engine's next-token distributions are from those of double precision over the very weights of the file:
 * what rounding of activations, of K and V and of sums costs. The text is drawn from the exact distributions.
 */
public final class NumericsBenchmark {

    private static final int FIRST_TOKEN = 1; // begin of sequence in the Llama family
    private static final long SEED = 5;

    /**
     * @param positions distributions compared
     * @param meanDivergence mean Kullback-Leibler divergence of the engine's from the exact distribution, in nats
     * @param topAgreement fraction of positions where both find the same token most likely
     * @param rootMeanSquare of the differences between logits, each distribution's mean difference taken out
     * @param logitDeviation standard deviation of the exact logits, to compare that with
     */
    public record Result(
            Numerics numerics,
            int positions,
            double meanDivergence,
            double highestDivergence,
            double topAgreement,
            double rootMeanSquare,
            double logitDeviation) {}

    private double divergence;
    private double highestDivergence;
    private int agreements;
    private double squares;
    private double variance;

    private NumericsBenchmark() {}

    /**
     * Compares {@code positions} distributions; takes seconds per position for models of billions of weights.
     *
     * @param progress told the number of positions done
     */
    public static Result run(
            ModelFile file,
            Optional<ActivationMode> activations,
            KvType kv,
            KernelChoice kernels,
            int positions,
            IntConsumer progress) {
        if (positions < 1 || positions > file.metadata().contextLength()) {
            throw new IllegalArgumentException("expected 1 to %d positions, as many as the model has, found %d"
                    .formatted(file.metadata().contextLength(), positions));
        }
        int threads = Runtime.getRuntime().availableProcessors();
        HostOptions options = new HostOptions(activations, kernels, threads, OptionalLong.empty());
        try (EngineHost host = EngineHost.open(file, options, LoadProgress.NONE);
                ComputeTeam team = ComputeTeam.of(threads);
                PackedModel exact = ModelPacker.pack(file, ActivationMode.F32, team, LoadProgress.NONE);
                BenchmarkRun run = new BenchmarkRun(host, kv, 1, positions, 1)) {
            return new NumericsBenchmark().compare(host.numerics(kv), new DoublePass(exact), run, positions, progress);
        }
    }

    private Result compare(Numerics numerics, DoublePass exact, BenchmarkRun run, int positions, IntConsumer progress) {
        SplittableRandom random = new SplittableRandom(SEED);
        int token = FIRST_TOKEN;
        for (int position = 0; position < positions; position++) {
            double[] expected = exact.next(token);
            float[] found = run.logits(token, position);
            add(expected, found);
            token = drawn(expected, random.nextDouble());
            progress.accept(position + 1);
        }
        return new Result(
                numerics,
                positions,
                divergence / positions,
                highestDivergence,
                (double) agreements / positions,
                Math.sqrt(squares / positions),
                Math.sqrt(variance / positions));
    }

    private void add(double[] expected, float[] found) {
        int n = expected.length;
        double normExpected = logSum(expected);
        double[] ours = new double[n];
        double meanDifference = 0;
        double mean = 0;
        for (int i = 0; i < n; i++) {
            ours[i] = found[i];
            meanDifference += (ours[i] - expected[i]) / n;
            mean += expected[i] / n;
        }
        double normOurs = logSum(ours);
        double sum = 0;
        for (int i = 0; i < n; i++) {
            double logProbability = expected[i] - normExpected;
            sum += Math.exp(logProbability) * (logProbability - (ours[i] - normOurs));
            squares += Math.pow(ours[i] - expected[i] - meanDifference, 2) / n;
            variance += Math.pow(expected[i] - mean, 2) / n;
        }
        divergence += sum;
        highestDivergence = Math.max(highestDivergence, sum);
        agreements += highest(expected) == highest(ours) ? 1 : 0;
    }

    private static double logSum(double[] logits) {
        double most = logits[highest(logits)];
        double sum = 0;
        for (double logit : logits) {
            sum += Math.exp(logit - most);
        }
        return most + Math.log(sum);
    }

    private static int highest(double[] logits) {
        int highest = 0;
        for (int i = 1; i < logits.length; i++) {
            highest = logits[i] > logits[highest] ? i : highest;
        }
        return highest;
    }

    private static int drawn(double[] logits, double uniform) {
        double norm = logSum(logits);
        double left = uniform;
        for (int i = 0; i < logits.length; i++) {
            left -= Math.exp(logits[i] - norm);
            if (left < 0) {
                return i;
            }
        }
        return logits.length - 1;
    }
}

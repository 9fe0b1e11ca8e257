package io.baton.bench;

import io.baton.engine.ActivationMode;
import io.baton.engine.EngineHost;
import io.baton.engine.HostOptions;
import io.baton.engine.LoadProgress;
import io.baton.engine.ModelShape;
import io.baton.engine.forward.Batch;
import io.baton.engine.forward.ForwardPass;
import io.baton.engine.forward.LayerListener;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Runs a model's forward pass without services around it and says how close each figure is to the machine's limit. */
public final class EngineBenchmark {

    private static final int BLOCK_TOKENS = 32;
    private static final long SEED = 7;

    private final BenchmarkPlan plan;
    private final EngineHost host;
    private final ModelShape shape;
    private final Optional<MachineLimits> limits;
    private final SplittableRandom random = new SplittableRandom(SEED);

    private EngineBenchmark(BenchmarkPlan plan, EngineHost host, Optional<MachineLimits> limits) {
        this.plan = plan;
        this.host = host;
        this.shape = host.shape();
        this.limits = limits;
    }

    /** Loads the model and measures every row of the plan, handing each on as it is known. */
    public static List<BenchmarkRow> run(
            Path model,
            BenchmarkPlan plan,
            Optional<MachineLimits> limits,
            LoadProgress progress,
            Consumer<BenchmarkRow> rows) {
        HostOptions options = new HostOptions(plan.activations(), plan.kernels(), plan.threads(), OptionalLong.empty());
        try (EngineHost host = EngineHost.open(model, options, progress)) {
            return new EngineBenchmark(plan, host, limits).run(rows);
        }
    }

    private List<BenchmarkRow> run(Consumer<BenchmarkRow> rows) {
        List<BenchmarkRow> all = new ArrayList<>();
        Consumer<BenchmarkRow> add = row -> {
            all.add(row);
            rows.accept(row);
        };
        plan.promptTokens().forEach(tokens -> add.accept(prefill(tokens)));
        if (plan.decodeTokens() > 0) {
            for (int depth : plan.depths()) {
                add.accept(decode(1, depth));
            }
            for (int batch : plan.batches()) {
                if (batch > 1) {
                    add.accept(decode(batch, 0));
                }
            }
        }
        return all;
    }

    private BenchmarkRow prefill(int tokens) {
        try (Run run = new Run(1, tokens, Math.min(tokens, plan.chunkTokens()))) {
            double[] rates = repeated(() -> {
                long start = System.nanoTime();
                run.prefill(tokens);
                run.logits();
                return tokens / seconds(start);
            });
            double operations = 2.0 * tokens * matrixWeights() + attentionOperations(0, tokens) + 2.0 * headWeights();
            return row("pp" + tokens, rates, operations / tokens, arithmeticLimit());
        }
    }

    private BenchmarkRow decode(int sequences, int depth) {
        int steps = plan.decodeTokens();
        try (Run run = new Run(sequences, depth + steps + 1, Math.max(sequences, plan.chunkTokens()))) {
            run.prefill(depth + 1);
            double[] rates = repeated(() -> {
                long start = System.nanoTime();
                for (int step = 0; step < steps; step++) {
                    run.step(depth + 1 + step);
                }
                return sequences * steps / seconds(start);
            });
            double bytes = (weightBytes() + sequences * cachedBytes(depth + steps / 2.0)) / sequences;
            String name = "tg" + steps + (depth > 0 ? "@" + depth : "") + (sequences > 1 ? "b" + sequences : "");
            return row(name, rates, bytes, "read");
        }
    }

    @FunctionalInterface
    private interface Measured {
        double tokensPerSecond();
    }

    /** One run to warm up, then the repetitions, sorted. */
    private double[] repeated(Measured measured) {
        measured.tokensPerSecond();
        double[] rates = new double[plan.repetitions()];
        for (int i = 0; i < rates.length; i++) {
            rates[i] = measured.tokensPerSecond();
        }
        Arrays.sort(rates);
        return rates;
    }

    private BenchmarkRow row(String test, double[] rates, double costPerToken, String limit) {
        double median = rates[rates.length / 2];
        double rate = median * costPerToken;
        return new BenchmarkRow(
                test,
                host.numerics(plan.kv()).weights(),
                host.kernelsName(),
                plan.threads(),
                median,
                limits.map(known -> rate / limit(known, limit)).orElse(0.0),
                limit,
                rate,
                rates[0],
                rates[rates.length - 1]);
    }

    private String arithmeticLimit() {
        ActivationMode mode = host.numerics(plan.kv()).activations();
        return mode == ActivationMode.Q8 ? "int8" : mode.name().toLowerCase(Locale.ROOT);
    }

    private static double limit(MachineLimits limits, String name) {
        return switch (name) {
            case "int8" -> limits.int8OpsPerSecond();
            case "bf16" -> limits.bf16OpsPerSecond();
            case "f32" -> limits.f32OpsPerSecond();
            default -> limits.readBytesPerSecond();
        };
    }

    private double matrixWeights() {
        double attention = (2.0 * shape.heads() + 2.0 * shape.kvHeads()) * shape.headDim() * shape.dim();
        return shape.layers() * (attention + 3.0 * shape.hiddenDim() * shape.dim());
    }

    private double headWeights() {
        return (double) shape.vocabularySize() * shape.dim();
    }

    /** Scores and weighted values of tokens {@code [from, to)}, each over all before it and itself. */
    private double attentionOperations(double from, double to) {
        double pairs = (to * (to + 1) - from * (from + 1)) / 2;
        return 4 * pairs * shape.heads() * shape.headDim() * shape.layers();
    }

    private double weightBytes() {
        double perWeight = switch (host.numerics(plan.kv()).activations()) {
            case F32 -> 4;
            case BF16 -> 2;
            case Q8 -> 34.0 / 32;
        };
        return perWeight * (matrixWeights() + headWeights());
    }

    private double cachedBytes(double tokens) {
        KvLayout layout = host.kvLayout(plan.kv(), BLOCK_TOKENS);
        return tokens / BLOCK_TOKENS * layout.unitBytes() * shape.layers();
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    /** Pool, tables and pass of one measurement. */
    private final class Run implements AutoCloseable {

        private final KvPool pool;
        private final ForwardPass pass;
        private final Batch batch;
        private final int[][] tables;
        private final int[] tokens;
        private final float[][] hidden;
        private final float[][] logits;
        private final int maxRows;

        Run(int sequences, int length, int maxRows) {
            this.maxRows = maxRows;
            int blocks = Math.ceilDiv(length, BLOCK_TOKENS);
            pool = KvPool.allocate(host.kvLayout(plan.kv(), BLOCK_TOKENS), shape.layers(), sequences * blocks);
            pass = host.forwardPass(pool, maxRows);
            batch = new Batch(maxRows);
            tables = new int[sequences][];
            for (int i = 0; i < sequences; i++) {
                int first = i;
                tables[i] = IntStream.range(0, blocks)
                        .map(block -> block * sequences + first)
                        .toArray();
            }
            tokens = random.ints(length, 3, shape.vocabularySize()).toArray();
            hidden = new float[sequences][shape.dim()];
            logits = new float[sequences][shape.vocabularySize()];
        }

        /** Every sequence's first {@code length} tokens, in chunks. */
        void prefill(int length) {
            for (int sequence = 0; sequence < tables.length; sequence++) {
                for (int from = 0; from < length; from += maxRows) {
                    int count = Math.min(maxRows, length - from);
                    batch.clear();
                    int entry = batch.add(tokens, from, count, from, tables[sequence], from + count == length);
                    pass.run(batch, LayerListener.NONE);
                    if (from + count == length) {
                        pass.hidden(entry, hidden[sequence]);
                    }
                }
            }
        }

        void logits() {
            pass.logits(hidden, 1, logits);
        }

        /** One decode step of every sequence. */
        void step(int position) {
            batch.clear();
            for (int[] table : tables) {
                batch.add(tokens, position % tokens.length, 1, position - 1, table, true);
            }
            pass.run(batch, LayerListener.NONE);
            for (int i = 0; i < tables.length; i++) {
                pass.hidden(i, hidden[i]);
            }
            pass.logits(hidden, tables.length, logits);
        }

        @Override
        public void close() {
            pass.close();
            pool.close();
        }
    }
}

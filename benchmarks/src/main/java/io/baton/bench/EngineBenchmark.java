package io.baton.bench;

import io.baton.engine.EngineHost;
import io.baton.engine.HostOptions;
import io.baton.engine.LoadProgress;
import io.baton.engine.ModelShape;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.KernelProvider;
import io.baton.model.files.ModelFile;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Runs a model's forward pass without services around it and says how close each figure is to the machine's limit. */
public final class EngineBenchmark implements AutoCloseable {

    private static final int WARM_UP_TOKENS = 64;
    private static final int ATTENTION_STEPS = 16;
    private static final int STEPS_PER_PART = 16;

    private final BenchmarkPlan plan;
    private final EngineHost host;
    private final ModelShape shape;
    private final BenchmarkSubject subject;
    private final Optional<MachineLimits> limits;

    private EngineBenchmark(
            BenchmarkPlan plan, EngineHost host, BenchmarkSubject subject, Optional<MachineLimits> limits) {
        this.plan = plan;
        this.host = host;
        this.shape = host.shape();
        this.subject = subject;
        this.limits = limits;
    }

    /**
     * Loads a model; closes the file.
     *
     * @param limits empty to print figures without fractions
     * @throws IllegalArgumentException when the plan needs longer sequences than the model has positions
     */
    public static EngineBenchmark load(
            Supplier<ModelFile> model, BenchmarkPlan plan, Optional<MachineLimits> limits, LoadProgress progress) {
        HostOptions options = new HostOptions(plan.activations(), plan.kernels(), plan.threads(), OptionalLong.empty());
        long start = System.nanoTime();
        EngineHost host;
        String quant;
        long fileBytes;
        try (ModelFile file = model.get()) {
            int context = file.metadata().contextLength();
            if (plan.longestSequence() > context) {
                throw new IllegalArgumentException(
                        "sequences of %d tokens, but the model has %d positions; ask for less"
                                .formatted(plan.longestSequence(), context));
            }
            quant = quant(file);
            fileBytes = file.tensors().stream()
                    .mapToLong(tensor -> tensor.bytes().byteSize())
                    .sum();
            host = EngineHost.open(file, options, progress);
        }
        double loadSeconds = (System.nanoTime() - start) / 1e9;
        BenchmarkSubject subject = new BenchmarkSubject(
                host.shape().name(),
                quant,
                host.numerics(plan.kv()).activations(),
                plan.kv(),
                host.kernelsName(),
                plan.threads(),
                fileBytes,
                loadSeconds,
                ResidentMemory.bytes());
        return new EngineBenchmark(plan, host, subject, limits);
    }

    /** The type that takes most of the file. */
    private static String quant(ModelFile file) {
        Map<TensorType, Long> bytes = new EnumMap<>(TensorType.class);
        for (Tensor tensor : file.tensors()) {
            bytes.merge(tensor.type(), tensor.bytes().byteSize(), Long::sum);
        }
        return bytes.entrySet().stream()
                .max(Comparator.comparingLong(Map.Entry::getValue))
                .map(most -> most.getKey().name().toLowerCase(Locale.ROOT))
                .orElse("none");
    }

    public BenchmarkSubject subject() {
        return subject;
    }

    /** Measures every row of the plan, handing each on as it is known. */
    public void run(Consumer<BenchmarkRow> rows) {
        plan.promptTokens().forEach(tokens -> rows.accept(prefill(tokens)));
        if (plan.decodeTokens() > 0) {
            for (int depth : plan.depths()) {
                plan.batches().forEach(batch -> rows.accept(decode(batch, depth)));
                if (depth > 0) {
                    rows.accept(attention(depth));
                }
            }
        }
    }

    private BenchmarkRow prefill(int tokens) {
        int chunk = Math.min(tokens, plan.chunkTokens());
        try (BenchmarkRun run = new BenchmarkRun(host, plan.kv(), 1, tokens, chunk)) {
            double passes = Math.ceilDiv(tokens, chunk);
            WorkBound work = new WorkBound(
                    passes * host.stepWeightBytes() + passes / 2 * cachedBytes(tokens),
                    2.0 * tokens * matrixWeights() + 2.0 * headWeights(),
                    attentionOperations(0, tokens));
            Runnable warmUp = () -> run.prefill(Math.min(chunk, WARM_UP_TOKENS));
            List<Part> parts = List.of(new Part(() -> run.prefill(tokens), work));
            return row("pp" + tokens, tokens, warmUp, parts, (double) host.stepWeightBytes());
        }
    }

    private BenchmarkRow decode(int sequences, int depth) {
        int steps = plan.decodeTokens();
        try (BenchmarkRun run = new BenchmarkRun(host, plan.kv(), sequences, depth + steps, Math.max(sequences, 32))) {
            run.fill(depth);
            List<Part> parts = new ArrayList<>();
            for (int step = 0; step < steps; step += STEPS_PER_PART) {
                parts.add(steps(run, sequences, depth + step, depth + Math.min(steps, step + STEPS_PER_PART)));
            }
            String name = "tg" + steps + (depth > 0 ? "@" + depth : "") + (sequences > 1 ? "b" + sequences : "");
            double workingSet = host.stepWeightBytes() + sequences * cachedBytes(depth + steps / 2.0);
            return row(name, sequences * steps, () -> run.step(depth), parts, workingSet);
        }
    }

    /** Decode steps at positions {@code [from, to)}. */
    private Part steps(BenchmarkRun run, int sequences, int from, int to) {
        int steps = to - from;
        Runnable all = () -> {
            for (int position = from; position < to; position++) {
                run.step(position);
            }
        };
        double cached = sequences * cachedBytes((from + to) / 2.0);
        WorkBound work = new WorkBound(
                steps * (host.stepWeightBytes() + cached),
                2.0 * steps * sequences * (matrixWeights() + headWeights()),
                sequences * attentionOperations(from, to));
        return new Part(all, work);
    }

    private BenchmarkRow attention(int depth) {
        try (ComputeTeam team = ComputeTeam.of(plan.threads());
                AttentionRun run = new AttentionRun(KernelProvider.of(plan.kernels()), shape, plan.kv(), team, depth)) {
            Runnable allSteps = () -> {
                for (int step = 0; step < ATTENTION_STEPS; step++) {
                    run.step();
                }
            };
            WorkBound work = new WorkBound(
                    ATTENTION_STEPS * cachedBytes(depth), 0, ATTENTION_STEPS * attentionOperations(depth - 1, depth));
            List<Part> parts = List.of(new Part(allSteps, work));
            return row("attn@" + depth, ATTENTION_STEPS, run::step, parts, cachedBytes(depth));
        }
    }

    /** Runs it once or more. */
    private void warmUp(Runnable measured) {
        long end = System.nanoTime() + plan.warmUp().toNanos();
        do {
            measured.run();
        } while (System.nanoTime() - end < 0);
    }

    /** A part of a repetition, short enough for the machine to be the same from its beginning to its end. */
    private record Part(Runnable run, WorkBound work) {

        double seconds() {
            long start = System.nanoTime();
            run.run();
            return (System.nanoTime() - start) / 1e9;
        }
    }

    /** @param workingSet bytes that are read again and again */
    private BenchmarkRow row(String test, int tokens, Runnable warmUp, List<Part> parts, double workingSet) {
        warmUp(warmUp);
        List<Repetition> repetitions = limits.map(machine -> bounded(warmUp, parts, machine, workingSet))
                .orElseGet(() -> unbounded(parts));
        double median = Repetition.median(repetitions, Repetition::seconds);
        DoubleSummaryStatistics seconds =
                repetitions.stream().mapToDouble(Repetition::seconds).summaryStatistics();
        return new BenchmarkRow(
                test,
                tokens / median,
                tokens / seconds.getMax(),
                tokens / seconds.getMin(),
                parts.stream().mapToDouble(part -> part.work().bytes()).sum() / median,
                parts.stream().mapToDouble(part -> part.work().operations()).sum() / median,
                Repetition.middle(repetitions).limitName(),
                Repetition.median(repetitions, Repetition::fractionOfLimit));
    }

    private List<Repetition> unbounded(List<Part> parts) {
        List<Repetition> repetitions = new ArrayList<>();
        for (int i = 0; i < plan.repetitions(); i++) {
            repetitions.add(
                    new Repetition(parts.stream().mapToDouble(Part::seconds).sum(), Optional.empty()));
        }
        return repetitions;
    }

    private List<Repetition> bounded(Runnable warmUp, List<Part> parts, MachineLimits machine, double workingSet) {
        Multiplication products = Multiplication.of(subject.activations(), subject.quant());
        Multiplication attention = Multiplication.of(plan.kv());
        List<Repetition> repetitions = new ArrayList<>();
        try (LimitGauge gauge = new LimitGauge(machine, products, attention, workingSet)) {
            for (int i = 0; i < plan.repetitions(); i++) {
                warmUp.run(); // measuring reads may have driven it from the caches
                double taken = 0;
                List<WorkBound.Limit> least = new ArrayList<>();
                for (Part part : parts) {
                    double seconds = part.seconds();
                    taken += seconds;
                    least.add(gauge.after(part.work(), seconds));
                }
                repetitions.add(new Repetition(taken, least.stream().reduce(WorkBound.Limit::then)));
            }
        }
        return repetitions;
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

    private double cachedBytes(double tokens) {
        long unit = host.kvLayout(plan.kv(), BenchmarkRun.BLOCK_TOKENS).unitBytes();
        return tokens / BenchmarkRun.BLOCK_TOKENS * unit * shape.layers();
    }

    @Override
    public void close() {
        host.close();
    }
}

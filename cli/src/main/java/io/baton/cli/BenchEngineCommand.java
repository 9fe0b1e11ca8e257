package io.baton.cli;

import io.baton.bench.BenchmarkPlan;
import io.baton.bench.EngineBenchmark;
import io.baton.bench.MachineLimits;
import io.baton.engine.EngineOptions;
import io.baton.engine.LoadProgress;
import io.baton.model.files.ModelFile;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "engine",
        description = {
            "Measures prefill, decode and attention of one model, and how close each comes to what this machine can do.",
            "",
            "Rows: pp512 is the prefill of 512 tokens, tg128 128 decode steps, tg128@2048 the same behind 2048 cached "
                    + "tokens, tg128b8 the same of 8 sequences together (tokens of all of them), attn@2048 attention "
                    + "of one token over 2048, all layers, without the rest. Figures are medians. The limit is measured "
                    + "in the same run: the fastest this machine multiplies (int8, bf16, f32), or reads just before and "
                    + "after the row (read); the fraction is the least time by that limit over the time taken.",
            ""
        })
final class BenchEngineCommand implements Callable<Integer> {

    private final Surroundings surroundings;

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private final BenchModelOptions model = new BenchModelOptions();

    @Option(
            names = "-p",
            split = ",",
            paramLabel = "TOKENS",
            description = "Prefill lengths, 0 for none (default: 512)")
    private List<Integer> promptTokens = List.of(512);

    @Option(names = "-n", paramLabel = "STEPS", description = "Decode steps, 0 for none (default: 128)")
    private int decodeTokens = 128;

    @Option(
            names = "-d",
            split = ",",
            paramLabel = "TOKENS",
            description = "Cached tokens before decoding (default: 0)")
    private List<Integer> depths = List.of(0);

    @Option(
            names = "-b",
            split = ",",
            paramLabel = "SEQUENCES",
            description = "Sequences decoded together (default: 1)")
    private List<Integer> batches = List.of(1);

    @Option(names = "-t", paramLabel = "THREADS", description = "Compute threads (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "-r", paramLabel = "TIMES", description = "Repetitions, of which the median counts (default: 3)")
    private int repetitions = 3;

    @Option(
            names = "--warm-up",
            paramLabel = "MILLISECONDS",
            description = "How long each is run before it counts, at least once (default: 1000)")
    private int warmUpMillis = 1000;

    @Option(names = "--chunk-tokens", paramLabel = "TOKENS", description = "Prompt tokens per pass (default: 512)")
    private int chunkTokens = EngineOptions.DEFAULT_CHUNK_TOKENS;

    @Option(names = "--json", description = "Print one JSON object per row instead of a table")
    private boolean json;

    BenchEngineCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec, "picocli sets the spec before it calls")
                .commandLine();
        PrintWriter out = command.getOut();
        PrintWriter err = command.getErr();
        BenchModelOptions.CommandUsage usage = message -> new ParameterException(command, message);
        BenchmarkPlan plan = plan(usage);
        BenchModelOptions.Progress progress = what -> say(err, what);
        Supplier<ModelFile> file = model.choose(usage, progress);
        progress.say("measuring the machine with %d threads".formatted(threads));
        Optional<MachineLimits> limits = MachineLimits.measure(threads);
        progress.say("loading");
        LoadProgress loading = surroundings.terminal() ? ModelLoading.progress(err) : LoadProgress.NONE;
        try (EngineBenchmark benchmark = load(file, plan, limits, loading, usage)) {
            BenchmarkOutput output = json
                    ? new BenchmarkJson(out, benchmark.subject(), limits)
                    : new BenchmarkTable(out, benchmark.subject(), limits);
            output.begin();
            benchmark.run(row -> {
                output.row(row);
                progress.say("%s measured".formatted(row.test()));
            });
        }
        return 0;
    }

    private static EngineBenchmark load(
            Supplier<ModelFile> file,
            BenchmarkPlan plan,
            Optional<MachineLimits> limits,
            LoadProgress progress,
            BenchModelOptions.CommandUsage usage) {
        try {
            return EngineBenchmark.load(file, plan, limits, progress);
        } catch (IllegalArgumentException e) {
            throw usage.error(String.valueOf(e.getMessage()));
        }
    }

    private BenchmarkPlan plan(BenchModelOptions.CommandUsage usage) {
        try {
            return new BenchmarkPlan(
                    model.activations(),
                    model.kernels(),
                    model.kv(),
                    threads,
                    promptTokens.stream().filter(tokens -> tokens != 0).toList(),
                    decodeTokens,
                    depths,
                    batches,
                    chunkTokens,
                    Duration.ofMillis(warmUpMillis),
                    repetitions);
        } catch (IllegalArgumentException e) {
            throw usage.error(String.valueOf(e.getMessage()));
        }
    }

    private static void say(PrintWriter err, String what) {
        err.println("bench engine: " + what);
        err.flush();
    }
}

package io.baton.cli;

import com.google.errorprone.annotations.FormatMethod;
import io.baton.bench.NumericsBenchmark;
import io.baton.model.files.ModelFile;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;

@Command(
        name = "numerics",
        description = {
            "Compares next-token distributions with double precision over the same weights.",
            "",
            "Shows what rounding costs: of activations, of cached K and V, of sums. The text is drawn from the exact "
                    + "distributions. Divergence is Kullback-Leibler's of the engine's distribution from the exact one.",
            ""
        })
final class BenchNumericsCommand implements Callable<Integer> {

    private static final int PROGRESS_STEP = 16;

    private final Surroundings surroundings;

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private final BenchModelOptions model = new BenchModelOptions();

    @Option(names = "-n", paramLabel = "TOKENS", description = "Positions compared (default: 128)")
    private int positions = 128;

    @Option(names = "--json", description = "Print one JSON object")
    private boolean json;

    BenchNumericsCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec, "picocli sets the spec before it calls")
                .commandLine();
        PrintWriter out = command.getOut();
        PrintWriter err = command.getErr();
        BenchModelOptions.Progress progress = what -> {
            err.println("bench numerics: " + what);
            err.flush();
        };
        IntConsumer done = count -> {
            if (surroundings.terminal() && count % PROGRESS_STEP == 0) {
                progress.say("%d of %d positions".formatted(count, positions));
            }
        };
        try (ModelFile file = model.choose(message -> new ParameterException(command, message), progress)
                .get()) {
            show(
                    NumericsBenchmark.run(file, model.activations(), model.kv(), model.kernels(), positions, done),
                    file,
                    out);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command, String.valueOf(e.getMessage()), e);
        }
        return 0;
    }

    private void show(NumericsBenchmark.Result result, ModelFile file, PrintWriter out) {
        String name = file.metadata().name();
        if (json) {
            out.println(new JsonMapper()
                    .createObjectNode()
                    .put("model", name)
                    .put("numerics", result.numerics().toString())
                    .put("positions", result.positions())
                    .put("meanDivergence", result.meanDivergence())
                    .put("highestDivergence", result.highestDivergence())
                    .put("topAgreement", result.topAgreement())
                    .put("rootMeanSquare", result.rootMeanSquare())
                    .put("logitDeviation", result.logitDeviation()));
        } else {
            out.println("%s, %s, %d positions".formatted(name, result.numerics(), result.positions()));
            line(out, "divergence, mean %.3g nats, highest %.3g", result.meanDivergence(), result.highestDivergence());
            line(out, "same most likely token at %.1f %% of positions", 100 * result.topAgreement());
            line(
                    out,
                    "logits differ by %.3g (root mean square); they spread by %.3g",
                    result.rootMeanSquare(),
                    result.logitDeviation());
        }
        out.flush();
    }

    @FormatMethod
    private static void line(PrintWriter out, String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
    }
}

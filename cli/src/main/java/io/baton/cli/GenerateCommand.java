package io.baton.cli;

import io.baton.client.BatonClient;
import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.GeneratedToken;
import io.baton.client.Generation;
import io.baton.client.GenerationResult;
import io.baton.client.PrefillMode;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(name = "generate", description = "Sends a prompt to a running gateway and streams the answer.")
final class GenerateCommand implements Callable<Integer> {

    private final Surroundings surroundings;

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private TargetOptions target = new TargetOptions();

    @Mixin
    private PromptOptions prompt = new PromptOptions();

    @Mixin
    private GenerationOptions options = new GenerationOptions();

    @Option(
            names = "--prefill-mode",
            paramLabel = "auto|local|remote",
            completionCandidates = EnumText.PrefillModes.class,
            defaultValue = "auto",
            description = "Where the prompt is prefilled (default: auto)")
    private PrefillMode mode = PrefillMode.AUTO;

    @Option(
            names = "--fallback",
            paramLabel = "local-prefill|other-prefill|fail",
            completionCandidates = EnumText.Fallbacks.class,
            defaultValue = "local-prefill",
            description = "What may happen when the chosen prefill node fails (default: local-prefill)")
    private Fallback fallback = Fallback.LOCAL_PREFILL;

    @Option(
            names = {"-n", "--choices"},
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "Independent answers to the prompt, at most 16; several are printed at their end (default: 1)")
    private int choices;

    @Option(
            names = "--first-choice",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Number of the first answer: with the same --seed it has the answer of that number (default: 0)")
    private int firstChoice;

    @Option(names = "--json", description = "Print one JSON object per token, and a last one for the whole")
    private boolean json;

    @Option(names = "--stats", description = "Tell on stderr how the time to the first token came about")
    private boolean stats;

    GenerateCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli sets the spec before it calls");
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        if (choices < 1 || firstChoice < 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "expected --choices from 1 and --first-choice from 0 up, found %d and %d"
                            .formatted(choices, firstChoice));
        }
        GenerateSpec request = options.toSpec(prompt.read(spec.commandLine(), surroundings), mode, fallback)
                .choices(choices)
                .firstChoice(firstChoice)
                .build();
        try (BatonClient client = target.connect();
                Generation generation = client.generate(request)) {
            if (json) {
                printJson(generation, out);
            } else if (choices > 1) {
                AnswerText.printEach(generation.result(), out);
            } else {
                AnswerText.stream(generation, out);
            }
            GenerationResult result = generation.result();
            if (stats) {
                RequestReport.print(result, err);
            }
        }
        return 0;
    }

    private void printJson(Generation generation, PrintWriter out) {
        JsonOutput json = new JsonOutput(choices > 1);
        for (GeneratedToken token : generation) {
            out.println(json.token(token));
            out.flush();
        }
        out.println(json.result(generation.result()));
        out.flush();
    }
}

package io.baton.cli;

import io.baton.client.BatonClient;
import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.Generation;
import io.baton.client.PrefillMode;
import io.baton.client.TtftParts;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

@Command(
        name = "ttft",
        description = {
            "Measures where the time to the first token goes, over many requests to a running gateway.",
            "",
            "One request after the other, each with a prompt of its own and all with a cache salt of this run, so that none "
                    + "finds its prefix cached.",
            ""
        })
final class BenchTtftCommand implements Callable<Integer> {

    private static final int PROGRESS_STEP = 100;
    private static final double[] QUANTILES = {0.5, 0.9, 0.99, 1};
    private static final String[] QUANTILE_NAMES = {"p50", "p90", "p99", "max"};

    private final Surroundings surroundings;
    private final String cacheSalt = UUID.randomUUID().toString();

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private TargetOptions target = new TargetOptions();

    @Option(names = "-n", paramLabel = "REQUESTS", description = "Requests measured (default: 500)")
    private int requests = 500;

    @Option(
            names = "--warm-up",
            paramLabel = "REQUESTS",
            description = "Requests before those; new processes need thousands (default: 500)")
    private int warmUp = 500;

    @Option(names = "--prompt-words", paramLabel = "N", description = "Words of each prompt (default: 48)")
    private int promptWords = 48;

    @Option(names = "--max-tokens", paramLabel = "N", description = "Output tokens of each answer (default: 8)")
    private int maxTokens = 8;

    @Option(
            names = "--prefill-mode",
            paramLabel = "auto|local|remote",
            completionCandidates = EnumText.PrefillModes.class,
            description = "Where prompts are prefilled (default: auto)")
    private PrefillMode mode = PrefillMode.AUTO;

    @Option(names = "--json", description = "Print one JSON object: milliseconds by part and quantile")
    private boolean json;

    BenchTtftCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        CommandSpec command = Objects.requireNonNull(spec, "picocli sets the spec before it calls");
        if (requests < 1 || warmUp < 0 || promptWords < 2 || maxTokens < 1) {
            throw new ParameterException(
                    command.commandLine(),
                    "expected -n and --max-tokens from 1, --warm-up from 0 and --prompt-words from 2 up, found %d, %d, %d and %d"
                            .formatted(requests, maxTokens, warmUp, promptWords));
        }
        PrintWriter err = command.commandLine().getErr();
        List<TtftParts> measured = new ArrayList<>(requests);
        try (BatonClient client = target.connect()) {
            for (int i = 0; i < warmUp + requests; i++) {
                TtftParts parts = ask(client, i);
                if (i >= warmUp) {
                    measured.add(parts);
                }
                if (surroundings.terminal() && (i + 1) % PROGRESS_STEP == 0) {
                    err.println("bench ttft: %d of %d requests".formatted(i + 1, warmUp + requests));
                    err.flush();
                }
            }
        }
        show(measured, command.commandLine().getOut());
        return 0;
    }

    private TtftParts ask(BatonClient client, int number) {
        GenerateSpec request = GenerateSpec.text(prompt(number))
                .maxTokens(maxTokens)
                .cacheSalt(cacheSalt)
                .prefillMode(mode)
                .fallback(Fallback.FAIL)
                .build();
        try (Generation generation = client.generate(request)) {
            return generation.result().ttft();
        }
    }

    /** Differs from every other within its first block of tokens. */
    private String prompt(int number) {
        StringBuilder prompt = new StringBuilder("Story " + number);
        for (int word = 2; word < promptWords; word++) {
            prompt.append(word % 12 == 0 ? ". Then" : word % 2 == 0 ? " the" : " boat");
        }
        return prompt.toString();
    }

    private void show(List<TtftParts> measured, PrintWriter out) {
        Map<String, double[]> millis = new LinkedHashMap<>();
        millis.put("total", quantiles(measured, TtftParts::total));
        for (String part : measured.getFirst().byName().keySet()) {
            millis.put(part, quantiles(measured, parts -> parts.byName().getOrDefault(part, Duration.ZERO)));
        }
        if (json) {
            ObjectNode all = new JsonMapper().createObjectNode().put("requests", measured.size());
            millis.forEach((part, values) -> {
                ObjectNode object = all.putObject(part);
                for (int i = 0; i < values.length; i++) {
                    object.put(QUANTILE_NAMES[i], values[i]);
                }
            });
            out.println(all);
        } else {
            out.println(row("%d requests, ms".formatted(measured.size()), Stream.of(QUANTILE_NAMES)));
            millis.forEach((part, values) -> out.println(row(
                    RequestReport.spaced(part),
                    Arrays.stream(values).mapToObj(value -> String.format(Locale.ROOT, "%.3f", value)))));
        }
        out.flush();
    }

    private static String row(String label, Stream<String> columns) {
        return columns.map("%10s"::formatted).collect(Collectors.joining("", "%-22s".formatted(label), ""));
    }

    /** The least value that the share of all values does not exceed, for each of {@link #QUANTILES}. */
    private static double[] quantiles(List<TtftParts> measured, Function<TtftParts, Duration> part) {
        long[] sorted = measured.stream()
                .mapToLong(parts -> part.apply(parts).toNanos())
                .sorted()
                .toArray();
        double[] millis = new double[QUANTILES.length];
        for (int i = 0; i < millis.length; i++) {
            millis[i] = sorted[(int) Math.ceil(QUANTILES[i] * sorted.length) - 1] / 1e6;
        }
        return millis;
    }
}

package io.baton.cli;

import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.PrefillMode;
import io.baton.client.Prompt;
import io.baton.client.SamplingSpec;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What one request asks for, as flags. */
final class GenerationOptions {

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec command;

    private int maxTokens;

    @Option(names = "--temperature", paramLabel = "X", defaultValue = "0", description = "0 is greedy (default: 0)")
    private float temperature;

    @Option(
            names = "--top-k",
            paramLabel = "N",
            defaultValue = "0",
            description = "Keep the N most likely tokens; 0 keeps all (default: 0)")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Keep the most likely tokens that together reach P (default: 1)")
    private float topP;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            defaultValue = "0",
            description = "Drop tokens less likely than P times the likeliest (default: 0)")
    private float minP;

    @Option(
            names = "--typical-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Locally typical sampling with this mass (default: 1)")
    private float typicalP;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "X",
            defaultValue = "1",
            description = "Penalty on tokens of prompt and output (default: 1)")
    private float repetitionPenalty;

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            defaultValue = "0",
            description = "Penalty on tokens of the output (default: 0)")
    private float presencePenalty;

    @Option(
            names = "--frequency-penalty",
            paramLabel = "X",
            defaultValue = "0",
            description = "Penalty per occurrence in the output (default: 0)")
    private float frequencyPenalty;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of the sampler; drawn by the gateway unless given")
    private @Nullable Long seed;

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            arity = "1",
            description = "Output ends before this; may be repeated")
    private List<String> stop = List.of();

    @Option(
            names = "--stop-token-ids",
            paramLabel = "N,N,…",
            split = ",",
            description = "Output ends at any of these token ids")
    private List<Integer> stopTokens = List.of();

    @Option(
            names = "--logit-bias",
            paramLabel = "ID=X",
            split = ",",
            description = "Added to the logit of a token id, -100 to 100; may be repeated")
    private Map<Integer, Float> logitBias = Map.of();

    @Option(names = "--ignore-eos", description = "Go on past the model's end-of-sequence tokens")
    private boolean ignoreEos;

    @Option(names = "--logprobs", paramLabel = "N", description = "Also of the N most likely tokens; shown with --json")
    private @Nullable Integer logprobs;

    @Option(
            names = "--cache-salt",
            paramLabel = "TEXT",
            defaultValue = "",
            description = "Requests with different salts never share cached KV")
    private String cacheSalt = "";

    @Option(names = "--priority", paramLabel = "N", defaultValue = "0", description = "Higher goes first (default: 0)")
    private int priority;

    @Option(
            names = "--deadline",
            paramLabel = "DURATION",
            converter = DurationText.class,
            description = "Give up after this long, e.g. 30s")
    private @Nullable Duration deadline;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "64",
            description = "Output tokens at most; 0 means up to the context length (default: 64)")
    void maxTokens(int count) {
        if (count < 0) {
            CommandSpec mixee = Objects.requireNonNull(command, "picocli sets the spec before it parses");
            throw new ParameterException(mixee.commandLine(), "--max-tokens: expected at least 0, found " + count);
        }
        maxTokens = count;
    }

    /** A request for {@code prompt} with these options, to be completed by the caller. */
    GenerateSpec.Builder toSpec(Prompt prompt, PrefillMode mode, Fallback fallback) {
        GenerateSpec.Builder spec = GenerateSpec.of(prompt)
                .maxTokens(maxTokens)
                .sampling(SamplingSpec.greedy()
                        .withTemperature(temperature)
                        .withTopK(topK)
                        .withTopP(topP)
                        .withMinP(minP)
                        .withTypicalP(typicalP)
                        .withPenalties(repetitionPenalty, presencePenalty, frequencyPenalty)
                        .withLogitBias(logitBias))
                .stopStrings(stop)
                .stopTokens(stopTokens)
                .ignoreEos(ignoreEos)
                .cacheSalt(cacheSalt)
                .priority(priority)
                .prefillMode(mode)
                .fallback(fallback);
        if (seed != null) {
            spec.seed(seed);
        }
        if (logprobs != null) {
            spec.logprobs(logprobs);
        }
        if (deadline != null) {
            spec.deadline(deadline);
        }
        return spec;
    }
}

package io.baton.cli;

import io.baton.cli.trace.SpanTap;
import io.baton.cli.trace.TraceFeed;
import io.baton.cli.trace.Waterfall;
import io.baton.client.BatonClient;
import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.Generation;
import io.baton.client.GenerationResult;
import io.baton.client.ModelDescription;
import io.baton.client.PrefillMode;
import io.baton.client.Prompt;
import io.baton.engine.EngineHost;
import io.baton.serving.Settings;
import io.baton.serving.telemetry.Telemetry;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "demo",
        description = {
            "Shows the whole path on this machine: a gateway, a prefill node and a decode node, each with a gRPC port.",
            "Sends a prompt, streams the answer and tells where the time to the first token went; then a second prompt",
            "that begins like the first finds it cached. Each request's trace is drawn over time.",
            "Prefill is remote; a handoff of nothing is a failure."
        })
final class DemoCommand extends ServiceCommand {

    /** Long enough that the storyteller's tokens of it fill several blocks. */
    private static final String OPENING =
            "This is the story of Tom, a shy boy who lived on a small island. One windy day, Tom found an old map"
                    + " inside a book. It showed a path that nobody knew. \"Come with me,\" he said to Hazel, a clever"
                    + " mouse. They packed some cheese and set off. First they came to a fallen log, and then they came to"
                    + " three white stones. The path grew steep, and Hazel was tired.";

    private static final Duration SETTLE = Duration.ofMillis(100);
    private static final Duration TRACE_PATIENCE = Duration.ofSeconds(2);
    private static final int LINE = 110;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            defaultValue = OPENING,
            description = "The first prompt (default: the beginning of a story)")
    private String prompt = "";

    @Option(
            names = "--follow-up",
            paramLabel = "TEXT",
            defaultValue = " The next day",
            description = "The second prompt is the first, its answer, and this (default: \"${DEFAULT-VALUE}\")")
    private String followUp = "";

    @Option(
            names = "--prefill-mode",
            paramLabel = "auto|local|remote",
            completionCandidates = EnumText.PrefillModes.class,
            defaultValue = "remote",
            description =
                    "Where prompts are prefilled; unless remote, a handoff of nothing is no failure (default: remote)")
    private PrefillMode mode = PrefillMode.REMOTE;

    @Option(names = "--prefill", paramLabel = "N", defaultValue = "1", description = "Prefill nodes (default: 1)")
    private int prefill;

    @Option(names = "--decode", paramLabel = "N", defaultValue = "1", description = "Decode nodes (default: 1)")
    private int decode;

    @Mixin
    private GenerationOptions options = new GenerationOptions();

    private final TraceFeed traces = new TraceFeed(System::nanoTime, SETTLE, TRACE_PATIENCE);

    DemoCommand(Surroundings surroundings) {
        super(surroundings, RoleSettings.DEMO, ProcessSettings.LogLevel.WARN);
    }

    @Override
    int run(Configuration configuration) throws Exception {
        NodeCounts.check(spec(), prefill, decode);
        Settings settings = configuration.load(settings());
        try (EngineHost host = ModelLoading.host(settings, surroundings(), err());
                Telemetry telemetry = Telemetry.start(
                        ProcessSettings.telemetry(settings, "baton", "demo"), List.of(new SpanTap(traces)));
                LocalCluster cluster = LocalCluster.start(
                        configuration, ModelLoading.served(settings), host, telemetry, prefill, decode);
                BatonClient client = BatonClient.connect(cluster.target())) {
            out().println(host.budget().report());
            print(cluster.endpoints(), "demo", telemetry);
            return show(client) ? 0 : 1;
        }
    }

    private boolean show(BatonClient client) throws InterruptedException {
        PrintWriter out = out();
        ModelDescription served = client.model();
        out.println("model %s (%s), %s".formatted(served.name(), served.architecture(), served.numerics()));
        out.println();
        out.print(prompt);
        GenerationResult first = answered(client, new Prompt.Text(prompt));

        out.println("The second prompt is the first one, its answer and \"" + followUp + "\":");
        out.println();
        out.print("…" + followUp);
        GenerationResult second = answered(client, new Prompt.Tokens(continuation(first, client, served)));
        return received(first) && received(second);
    }

    private GenerationResult answered(BatonClient client, Prompt next) throws InterruptedException {
        Fallback fallback = mode == PrefillMode.REMOTE ? Fallback.FAIL : Fallback.LOCAL_PREFILL;
        GenerateSpec request = options.toSpec(next, mode, fallback).build();
        try (Generation generation = client.generate(request)) {
            GenerationResult result = AnswerText.stream(generation, out());
            out().println();
            RequestReport.print(result, out());
            out().println();
            traces.next(TRACE_PATIENCE)
                    .map(new Waterfall(LINE)::drawSpans)
                    .ifPresent(lines -> lines.forEach(out()::println));
            out().println();
            return result;
        }
    }

    /**
     * Token ids, not text: an answer's text may be tokenized otherwise than the model wrote it, and then nothing is
     * cached.
     */
    private List<Integer> continuation(GenerationResult first, BatonClient client, ModelDescription served) {
        List<Integer> further = client.tokenizeContinuation(followUp);
        List<Integer> ids = new ArrayList<>(first.started().promptTokenIds());
        ids.addAll(first.only().tokenIds());
        int answer = Math.min(first.only().tokenIds().size(), served.contextLength() / 4);
        int room = served.contextLength() - further.size() - answer;
        List<Integer> continuation = new ArrayList<>(ids.subList(0, Math.clamp(room, 0, ids.size())));
        continuation.addAll(further);
        return continuation;
    }

    private boolean received(GenerationResult result) {
        boolean something =
                result.route().kvBlocksReceived() > 0 && result.route().kvBytesReceived() > 0;
        if (something || mode != PrefillMode.REMOTE) {
            return true;
        }
        err().println("baton demo: no KV block came from the prefill node, though remote prefill was asked for (%s)"
                .formatted(result.route().reason()));
        err().flush();
        return false;
    }
}

package io.baton.cli;

import io.baton.engine.EngineException;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineOptions;
import io.baton.engine.EnginePlan;
import io.baton.engine.HostOptions;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.engine.memory.KvLayout;
import io.baton.model.files.ModelFile;
import io.baton.model.files.ModelMetadata;
import io.baton.model.files.Tensor;
import io.baton.serving.Setting;
import io.baton.serving.Settings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "inspect",
        description = {
            "Shows what a model file holds, and what a node would make of it: the size of its KV pool and the",
            "fingerprint of its sequences, under the given settings. For that the weights are loaded."
        })
final class InspectCommand implements Callable<Integer> {

    /** Those of a node's engine. */
    static final List<Setting<?>> SETTINGS = EngineSettings.SETTINGS;

    private record Sum(int tensors, long elements, long bytes) {
        Sum plus(Sum other) {
            return new Sum(tensors + other.tensors, elements + other.elements, bytes + other.bytes);
        }
    }

    private final Surroundings surroundings;

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(
            arity = "0..1",
            paramLabel = "MODEL",
            description = "A GGUF file or a Hugging Face folder; --model or the embedded one unless given")
    private @Nullable Path model;

    @Option(names = "--tensors", description = "List every tensor")
    private boolean listTensors;

    @Option(names = "--file-only", description = "Do not load the weights; leaves out what needs them")
    private boolean fileOnly;

    InspectCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        CommandSpec command = Objects.requireNonNull(spec, "picocli sets the spec before it calls");
        PrintWriter out = command.commandLine().getOut();
        Settings settings = new Configuration(
                        Optional.empty(), surroundings.environment(), SettingOptions.given(command, SETTINGS))
                .load(SETTINGS);
        ProcessSettings.quietLogging();
        try (ModelChoice choice = model == null ? ModelChoice.of(settings) : ModelChoice.of(model);
                ModelFile file = ModelFile.open(choice.path())) {
            describe(file, settings, out);
            Optional<String> obstacle = file.metadata().cachingObstacle();
            if (obstacle.isPresent()) {
                row(out, "cannot be served", obstacle.get());
            } else if (!fileOnly) {
                describeNode(choice.path(), settings, out);
            }
            if (listTensors) {
                file.tensors()
                        .forEach(tensor ->
                                out.println("  %-40s %-6s %s".formatted(tensor.name(), tensor.type(), tensor.shape())));
            }
            out.flush();
        }
        return 0;
    }

    private static void describe(ModelFile file, Settings settings, PrintWriter out) {
        ModelMetadata model = file.metadata();
        row(out, "name", model.name());
        row(out, "architecture", model.architecture());
        row(out, "layers", model.layers());
        row(out, "width", model.dim());
        row(out, "feed-forward width", model.hiddenDim());
        row(
                out,
                "heads",
                "%d, %d for keys and values, of %d".formatted(model.heads(), model.kvHeads(), model.headDim()));
        row(out, "context length", model.contextLength());
        row(out, "vocabulary", model.vocabularySize());
        row(out, "rope", model.rope().describe());
        row(out, "output matrix", model.tiedOutput() ? "the embedding's" : "its own");
        Map<String, Sum> sums = new TreeMap<>();
        for (Tensor tensor : file.tensors()) {
            sums.merge(
                    tensor.type().name(),
                    new Sum(1, tensor.elements(), tensor.bytes().byteSize()),
                    Sum::plus);
        }
        row(
                out,
                "parameters",
                "%,d".formatted(sums.values().stream().mapToLong(Sum::elements).sum()));
        sums.forEach((type, sum) -> row(
                out,
                "weights in " + type,
                "%d tensors, %,d values, %,d bytes".formatted(sum.tensors, sum.elements, sum.bytes)));
        int blockTokens = EngineSettings.engine(settings).blockTokens();
        for (KvType type : KvType.values()) {
            KvLayout layout = new KvLayout(type, blockTokens, model.kvHeads(), model.headDim());
            row(
                    out,
                    "KV per token (%s)".formatted(type.name().toLowerCase(Locale.ROOT)),
                    "%,d bytes".formatted(layout.unitBytes() * model.layers() / blockTokens));
        }
        if (file.hasVocabulary()) {
            row(out, "tokenizer digest", HexFormat.of().formatHex(file.tokenizerDigest()));
        }
    }

    /** Exactly what a node would say of itself: the same code loads and plans. */
    private static void describeNode(Path path, Settings settings, PrintWriter out) {
        HostOptions told = EngineSettings.host(settings);
        // Nothing is computed here, so no kernels are warmed up.
        HostOptions options =
                new HostOptions(told.activations(), KernelChoice.SCALAR, told.threads(), told.memoryLimit());
        EngineOptions engine = EngineSettings.engine(settings);
        try (EngineHost host = EngineHost.open(path, options, LoadProgress.NONE)) {
            row(out, "weights digest", HexFormat.of().formatHex(host.weightsDigest()));
            row(out, "numerics", host.numerics(engine.kvType()));
            EnginePlan plan = host.plan(engine);
            row(
                    out,
                    "KV pool of a node",
                    "%,d blocks of %d tokens: %,d tokens, %,d bytes"
                            .formatted(
                                    plan.blocks(),
                                    engine.blockTokens(),
                                    (long) plan.blocks() * engine.blockTokens(),
                                    plan.blocks() * plan.blockBytes()));
            row(out, "memory of a node", plan.memory().replaceFirst("^memory: ", ""));
            row(out, "fingerprint", HexFormat.of().formatHex(plan.fingerprint().digest()));
        } catch (EngineException e) {
            row(out, "cannot be served", String.valueOf(e.getMessage()));
        }
    }

    private static void row(PrintWriter out, String label, Object value) {
        out.println("%-22s %s".formatted(label, value));
    }
}

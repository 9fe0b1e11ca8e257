package io.baton.cli;

import io.baton.model.files.ModelFile;
import io.baton.model.files.ModelMetadata;
import io.baton.model.files.Tensor;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "inspect", description = "Shows what a model file holds.")
final class InspectCommand implements Callable<Integer> {

    private record Sum(int tensors, long elements, long bytes) {
        Sum plus(Sum other) {
            return new Sum(tensors + other.tensors, elements + other.elements, bytes + other.bytes);
        }
    }

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "MODEL", description = "A GGUF file; the embedded one unless given")
    private @Nullable Path model;

    @Option(names = "--tensors", description = "List every tensor")
    private boolean listTensors;

    @Option(names = "--digest", description = "Also compute the digest of the weights, which reads all of them")
    private boolean digest;

    @Override
    public Integer call() {
        PrintWriter out = Objects.requireNonNull(spec, "picocli sets the spec before it calls")
                .commandLine()
                .getOut();
        try (ModelChoice choice = ModelChoice.of(model);
                ModelFile file = ModelFile.open(choice.path())) {
            describe(file, out);
            if (listTensors) {
                file.tensors()
                        .forEach(tensor ->
                                out.println("  %-40s %-6s %s".formatted(tensor.name(), tensor.type(), tensor.shape())));
            }
            out.flush();
        }
        return 0;
    }

    private void describe(ModelFile file, PrintWriter out) {
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
        sums.forEach((type, sum) -> row(
                out,
                "weights in " + type,
                "%d tensors, %,d values, %,d bytes".formatted(sum.tensors, sum.elements, sum.bytes)));
        row(out, "KV per token (bf16)", "%,d bytes".formatted(4L * model.layers() * model.kvHeads() * model.headDim()));
        model.cachingObstacle().ifPresent(obstacle -> row(out, "cannot be served", obstacle));
        if (file.hasVocabulary()) {
            row(out, "tokenizer digest", HexFormat.of().formatHex(file.tokenizerDigest()));
        }
        if (digest) {
            row(out, "weights digest", HexFormat.of().formatHex(file.weightsDigest()));
        }
    }

    private static void row(PrintWriter out, String label, Object value) {
        out.println("%-22s %s".formatted(label, value));
    }
}

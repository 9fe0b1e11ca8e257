package io.baton.cli;

import io.baton.bench.RandomBlocks;
import io.baton.bench.SyntheticModel;
import io.baton.bench.SyntheticShape;
import io.baton.engine.ActivationMode;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.memory.MemoryLimit;
import io.baton.model.files.ModelFile;
import io.baton.model.files.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** Which model a benchmark runs, a file or random weights in a known shape, and in which arithmetic. */
final class BenchModelOptions {

    /** A type that random weights can be made in. */
    record Quant(TensorType type) {
        static Quant of(String name) {
            try {
                return new Quant(RandomBlocks.type(name));
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    private static final SyntheticShape DEFAULT_SHAPE = SyntheticShape.M110;
    private static final TensorType DEFAULT_TYPE = TensorType.Q8_0;

    @Option(names = "--model", paramLabel = "PATH", description = "A GGUF file or a Hugging Face model folder")
    private @Nullable Path model;

    @Option(
            names = "--synthetic",
            paramLabel = "SHAPE",
            description = "Random weights in a known shape instead of a file: tiny, 110m (the default), llama-3.2-1b, "
                    + "llama-3.2-3b or llama-3.1-8b")
    private @Nullable SyntheticShape shape;

    @Option(
            names = "--quant",
            paramLabel = "TYPE",
            description =
                    "What the random weights are stored as: f32, f16, bf16, q8_0 (the default), q4_0, q4_1, q5_0, "
                            + "q5_1, iq4_nl, q4_k, q5_k or q6_k")
    private @Nullable Quant quant;

    @Option(
            names = "--write",
            paramLabel = "FILE.gguf",
            description = "Save the random model, so that other programs can run the very same, and run it from there")
    private @Nullable Path write;

    @Option(names = "--kv-dtype", paramLabel = "f32|bf16|q8", description = "Type of cached K and V (default: bf16)")
    private KvType kv = KvType.BF16;

    @Option(
            names = "--activations",
            paramLabel = "auto|q8|bf16|f32",
            description = "What activations are rounded to (default: auto, by the model file)")
    private EngineSettings.Activations activations = EngineSettings.Activations.AUTO;

    @Option(
            names = "--kernels",
            paramLabel = "auto|scalar|vector|native",
            description = "Which kernels compute (default: auto); all give the same bits")
    private KernelChoice kernels = KernelChoice.AUTO;

    static SyntheticShape shape(String name) {
        try {
            return SyntheticShape.of(name);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    KvType kv() {
        return kv;
    }

    Optional<ActivationMode> activations() {
        return activations.mode();
    }

    KernelChoice kernels() {
        return kernels;
    }

    /** Makes the random weights, if those are wanted; what is returned opens the model. */
    Supplier<ModelFile> choose(CommandUsage usage, Progress progress) {
        if (model != null) {
            if (shape != null || quant != null || write != null) {
                throw usage.error("--model names the weights; --synthetic, --quant and --write are for random ones");
            }
            Path path = ModelChoice.of(model).path();
            return () -> ModelFile.open(path);
        }
        SyntheticShape chosen = Objects.requireNonNullElse(shape, DEFAULT_SHAPE);
        TensorType type = quant == null ? DEFAULT_TYPE : quant.type();
        SyntheticModel synthetic = synthetic(chosen, type, usage);
        Path target = write;
        try {
            progress.say("making random weights, %,d bytes".formatted(synthetic.size()));
            if (target != null) {
                synthetic.write(target);
                return () -> ModelFile.open(target);
            }
            long limit = MemoryLimit.detect().bytes();
            if (synthetic.size() > limit / 2) { // it lies in memory a second time while it is packed
                throw new CommandException(
                        "these weights take %,d bytes, more than half of the memory limit of %,d; give --write FILE to "
                                        .formatted(synthetic.size(), limit)
                                + "make them on disk, or another --quant");
            }
            ModelFile made = synthetic.inMemory();
            return () -> made;
        } catch (IOException e) {
            throw new CommandException("cannot write " + target + ": " + e.getMessage(), e);
        }
    }

    private static SyntheticModel synthetic(SyntheticShape shape, TensorType type, CommandUsage usage) {
        try {
            return SyntheticModel.of(shape, type);
        } catch (IllegalArgumentException e) {
            throw usage.error(String.valueOf(e.getMessage()));
        }
    }

    /** How a command reports that it was called wrongly. */
    @FunctionalInterface
    interface CommandUsage {
        ParameterException error(String message);
    }

    /** Where a command says what it does. */
    @FunctionalInterface
    interface Progress {
        void say(String what);
    }
}

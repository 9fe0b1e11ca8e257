package io.baton.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.ActivationMode;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.kv.SequenceFingerprint;
import io.baton.model.files.GgufWriter;
import io.baton.model.files.TensorType;
import io.baton.testing.SharedFiles;
import io.baton.testing.TinyModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A model is the same, bit for bit, from a GGUF file and from a Hugging Face folder. */
class TwoFormsTest {

    private static final int CONTEXT = 512;
    private static final TinyModel MODEL = TinyModel.ofContext(CONTEXT);
    private static final String PLAIN = "\"rope_theta\": 10000.0";

    /** Enough for every pair to turn far. */
    private static final List<Question> QUESTIONS = Question.drawn(21, TinyModel.VOCABULARY, 3).stream()
            .filter(question -> List.of(1, 33, 257).contains(question.prompt().size()))
            .toList();

    @TempDir
    private Path folder = Path.of("");

    /**
     * How positions enter a model of Llama 2 to 3.x.
     *
     * @param config as {@code config.json} says it
     * @param keys as a GGUF file says it
     */
    record Rope(String name, float base, String config, UnaryOperator<GgufWriter> keys) {

        static Rope scaled(String name, String config, String type, float factor) {
            return new Rope(
                    name,
                    10_000,
                    config,
                    writer -> writer.text("llama.rope.scaling.type", type).number("llama.rope.scaling.factor", factor));
        }

        /** @param factors what the field's converter to GGUF computes, in numpy's float32 */
        static Rope llama3(String name, int factor, int originalContext, float... factors) {
            String config = """
                    "rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": %d.0, "low_freq_factor": 1.0,
                     "high_freq_factor": 4.0, "original_max_position_embeddings": %d}""".formatted(factor, originalContext);
            return new Rope(
                    name,
                    500_000,
                    config,
                    writer -> writer.tensor("rope_freqs.weight", List.of((long) factors.length), factors));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Rope> ropes() {
        return Stream.of(
                new Rope("Llama 2", 10_000, PLAIN, writer -> writer),
                new Rope("Llama 2, the base left out", 10_000, "\"rope_scaling\": null", writer -> writer),
                new Rope("Code Llama", 1_000_000, "\"rope_theta\": 1000000.0", writer -> writer),
                new Rope("Llama 3", 500_000, "\"rope_theta\": 500000.0", writer -> writer),
                new Rope(
                        "Llama 3, in the newer spelling",
                        500_000,
                        "\"rope_parameters\": {\"rope_theta\": 500000.0, \"rope_type\": \"default\"}",
                        writer -> writer),
                Rope.scaled(
                        "Llama 2 with positions interpolated",
                        PLAIN + ", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 4.0}",
                        "linear",
                        4),
                new Rope(
                        "Llama 2 with positions interpolated, in GGUF's older spelling",
                        10_000,
                        PLAIN + ", \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 4.0}",
                        writer -> writer.number("llama.rope.scale_linear", 4)),
                Rope.llama3("Llama 3.1", 8, 8192, 1, 1, 1, 1, 2.69453f, 8, 8, 8),
                Rope.llama3("Llama 3.2", 32, 8192, 1, 1, 1, 1, 3.2922628f, 32, 32, 32),
                Rope.llama3("Llama 3.1 stretched from a short context", 8, 512, 1, 1, 1.3752869f, 8, 8, 8, 8, 8));
    }

    @ParameterizedTest
    @MethodSource("ropes")
    void everyWayInWhichPositionsEnterGivesTheSameBits(Rope rope) throws Exception {
        Path gguf = folder.resolve("model.gguf");
        rope.keys().apply(MODEL.writer(rope.base(), TensorType.F32)).write(gguf);
        same(gguf, HuggingFaceCopy.of(gguf, folder.resolve("copy"), rope.config()), ActivationMode.F32);
    }

    @ParameterizedTest
    @EnumSource(
            value = TensorType.class,
            names = {"F32", "F16", "BF16"})
    void everyTypeThatAFolderCanHaveGivesTheSameBits(TensorType type) throws Exception {
        Path gguf = folder.resolve("model.gguf");
        MODEL.writer(10_000, type).write(gguf);
        Path copy = HuggingFaceCopy.of(gguf, folder.resolve("copy"), PLAIN);
        for (ActivationMode mode : ActivationMode.values()) {
            same(gguf, copy, mode);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = TensorType.class,
            names = {"F32", "F16"})
    void aTrainedModelGivesTheSameBitsInBothTypesItHas(TensorType type) throws Exception {
        Path gguf = SharedFiles.stories260K(
                "stories260K-%s.gguf".formatted(type.name().toLowerCase(Locale.ROOT)));
        Path published = SharedFiles.stories260K("hf");
        Path copy = HuggingFaceCopy.of(gguf, folder.resolve("copy"), PLAIN);
        Files.copy(
                published.resolve("tokenizer.json"),
                copy.resolve("tokenizer.json"),
                StandardCopyOption.REPLACE_EXISTING);
        same(gguf, copy, ActivationMode.F32);
        if (type == TensorType.F32) {
            same(gguf, published, ActivationMode.F32);
        }
    }

    @Test
    void everyCommandThatTakesAModelTakesEitherForm() throws Exception {
        Path gguf = folder.resolve("model.gguf");
        MODEL.writer(10_000, TensorType.F16).write(gguf);
        Path copy = HuggingFaceCopy.of(gguf, folder.resolve("copy"), PLAIN);
        assertThat(lines("tokenize", "--model", copy.toString(), "Once"))
                .isNotEmpty()
                .isEqualTo(lines("tokenize", "--model", gguf.toString(), "Once"));
        assertThat(line("fingerprint", "inspect", copy.toString()))
                .isEqualTo(line("fingerprint", "inspect", "--model", gguf.toString()));
        // Which loads the model as up, prefill, decode and gateway do.
        String[] demo = {"demo", "--pool-bytes=4MiB", "--max-tokens=8", "--prompt=Once", "--seed=1", "--model"};
        assertThat(line("Once", with(demo, copy))).isEqualTo(line("Once", with(demo, gguf)));
    }

    private static void same(Path gguf, Path copy, ActivationMode mode) {
        HostOptions options = new HostOptions(Optional.of(mode), KernelChoice.AUTO, 2, OptionalLong.empty());
        EngineOptions engine = EngineOptions.defaults();
        try (EngineHost one = EngineHost.open(gguf, options, LoadProgress.NONE);
                EngineHost other = EngineHost.open(copy, options, LoadProgress.NONE)) {
            SequenceFingerprint expected = one.plan(engine).fingerprint();
            assertThat(expected.differenceFrom(other.plan(engine).fingerprint()))
                    .isEmpty();
            for (Question question : QUESTIONS) {
                assertThat(FullRecompute.generate(other, KvType.BF16, question))
                        .as("%d tokens, %s activations", question.prompt().size(), mode)
                        .isEqualTo(FullRecompute.generate(one, KvType.BF16, question));
            }
        }
    }

    private static String[] with(String[] arguments, Path last) {
        return Stream.concat(Stream.of(arguments), Stream.of(last.toString())).toArray(String[]::new);
    }

    private static String line(String start, String... arguments) {
        return lines(arguments).stream()
                .filter(line -> line.startsWith(start))
                .findFirst()
                .orElseThrow();
    }

    private static List<String> lines(String... arguments) {
        return CommandRun.printed(List.of(arguments)).lines().toList();
    }
}

package io.baton.model.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HuggingFaceFolderTest {

    @TempDir
    Path folder;

    @Test
    void aFolderReadsLikeAGgufFile() {
        try (ModelFile model = TestingFolder.whole(folder).open()) {
            ModelMetadata metadata = model.metadata();
            assertThat(metadata.architecture()).isEqualTo("llama");
            assertThat(metadata.layers()).isEqualTo(1);
            assertThat(metadata.headDim()).isEqualTo(4);
            assertThat(metadata.kvHeads()).isEqualTo(2);
            assertThat(metadata.vocabularySize()).isEqualTo(9);
            assertThat(metadata.contextLength()).isEqualTo(128);
            assertThat(metadata.normEpsilon()).isEqualTo(1e-5f);
            assertThat(metadata.tiedOutput()).isTrue();
            assertThat(metadata.rope())
                    .isEqualTo(new RopeParameters(4, 10_000, RopePairs.HALVES, new RopeScaling.None(), new float[0]));
            assertThat(model.tensors())
                    .extracting(Tensor::name)
                    .containsExactly("token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight");
            assertThat(model.requireTensor("output_norm.weight").type()).isEqualTo(TensorType.BF16);

            VocabularyFile vocabulary = model.vocabulary();
            assertThat(vocabulary.model()).isEqualTo("llama");
            assertThat(vocabulary.tokens()).containsExactly("<unk>", "<s>", "</s>", "▁", "a", "b", "ab", "▁ab", "é");
            assertThat(vocabulary.scores()[6]).isGreaterThan(vocabulary.scores()[7]);
            assertThat(vocabulary.special().ends()).containsExactlyInAnyOrder(2, 8);
            assertThat(vocabulary.special().bos()).hasValue(1);
            assertThat(vocabulary.addBos()).isTrue();
            assertThat(vocabulary.addSpacePrefix()).isTrue();
            assertThat(vocabulary.rules().absorbsAfter()).containsExactly(2);
        }
    }

    @Test
    void theSameModelHasTheSameDigestsInBothForms() {
        Path gguf = TestingModels.shared("models/stories260K/derived/stories260K-f32.gguf");
        Path hf = TestingModels.shared("models/stories260K/derived/hf");
        try (ModelFile one = ModelFile.open(gguf);
                ModelFile other = ModelFile.open(hf)) {
            assertThat(other.weightsDigest()).isEqualTo(one.weightsDigest());
            assertThat(other.tokenizerDigest()).isEqualTo(one.tokenizerDigest());
            assertThat(other.metadata().rope().describe())
                    .isEqualTo(one.metadata().rope().describe());
            assertThat(other.metadata().normEpsilon()).isEqualTo(one.metadata().normEpsilon());
            // The GGUF file of this model writes its tied output matrix out.
            assertThat(one.tensors())
                    .filteredOn(tensor -> !tensor.name().equals("output.weight"))
                    .extracting(Tensor::name)
                    .containsExactlyInAnyOrderElementsOf(
                            other.tensors().stream().map(Tensor::name).toList());
        }
    }

    @Test
    void shardsAreTheSameModelAsOneFile(@TempDir Path sharded) {
        Random random = new Random(1);
        byte[] embedding = TestingModels.bytes(random, 9 * 16 * 4);
        byte[] norm = TestingModels.bytes(random, 32);
        byte[] query = TestingModels.bytes(random, 512);
        TestingFolder shards = TestingFolder.whole(sharded)
                .file(
                        "a.safetensors",
                        new TestingFolder.Safetensors()
                                .tensor("model.embed_tokens.weight", "F32", List.of(9, 16), embedding)
                                .bytes())
                .file(
                        "b.safetensors",
                        new TestingFolder.Safetensors()
                                .tensor("model.norm.weight", "BF16", List.of(16), norm)
                                .tensor("model.layers.0.self_attn.q_proj.weight", "F16", List.of(16, 16), query)
                                .bytes())
                .file("model.safetensors.index.json", """
                        {"weight_map": {"model.embed_tokens.weight": "a.safetensors", "model.norm.weight": "b.safetensors",
                         "model.layers.0.self_attn.q_proj.weight": "b.safetensors"}}
                        """);
        assertThat(sharded.resolve("model.safetensors").toFile().delete()).isTrue();
        try (ModelFile whole = TestingFolder.whole(folder).open();
                ModelFile parts = shards.open()) {
            assertThat(parts.weightsDigest()).isEqualTo(whole.weightsDigest());
        }
        shards.file("model.safetensors.index.json", "{\"weight_map\": {\"model.norm.weight\": \"../b.safetensors\"}}");
        assertThatThrownBy(shards::open)
                .hasMessageContaining("../b.safetensors")
                .hasMessageContaining("same folder");
        shards.file("model.safetensors.index.json", "{\"weight_map\": {\"model.norm.weight\": \"c.safetensors\"}}");
        assertThatThrownBy(shards::open).hasMessageContaining("c.safetensors: found no such file");
        shards.file("model.safetensors.index.json", "{\"weight_map\": {\"model.norm.weight\": \"a.safetensors\"}}");
        assertThatThrownBy(shards::open).hasMessageContaining("weight_map.model.norm.weight");
    }

    @Test
    void llama3ScalingBecomesFrequencyFactors() {
        String config = TestingFolder.CONFIG.replace("\"rope_theta\": 10000.0", """
                "rope_theta": 500000.0, "head_dim": 128, "rope_scaling": {"rope_type": "llama3", "factor": 8.0,
                "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}""");
        try (ModelFile model =
                TestingFolder.whole(folder).file("config.json", config).open()) {
            RopeParameters rope = model.metadata().rope();
            assertThat(rope.scaling()).isEqualTo(new RopeScaling.None());
            float[] factors = rope.frequencyFactors();
            assertThat(factors).hasSize(64);
            for (int i = 0; i < 64; i++) {
                double wavelength = 2 * Math.PI * Math.pow(500_000, i / 64.0);
                double smooth = Math.clamp((8192 / wavelength - 1) / 3, 0, 1);
                assertThat((double) factors[i]).isCloseTo(1 / ((1 - smooth) / 8 + smooth), within(1e-4));
            }
            assertThat(factors[0]).isEqualTo(1);
            assertThat(factors[63]).isEqualTo(8);
        }
    }

    @Test
    void linearAndYarnScalingAreRead() {
        assertThat(scaling("{\"type\": \"linear\", \"factor\": 2.0}")).isEqualTo(new RopeScaling.Linear(2));
        assertThat(scaling("{\"rope_type\": \"yarn\", \"factor\": 4, \"original_max_position_embeddings\": 32768}"))
                .isEqualTo(new RopeScaling.Yarn(4, 32768, 32, 1, 0));
        assertThat(scaling("{\"rope_type\": \"yarn\", \"factor\": 4, \"attention_factor\": 1.5}"))
                .isEqualTo(new RopeScaling.Yarn(4, 128, 32, 1, 1.5));
        assertThat(scaling("{\"rope_type\": \"default\"}")).isEqualTo(new RopeScaling.None());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"model_type\": \"bert\" | encoder-only",
                "\"model_type\": \"t5\", \"is_encoder_decoder\": true | encoder-decoder",
                "\"model_type\": \"newbart\", \"is_encoder_decoder\": true | encoder-decoder",
                "\"model_type\": \"llama\", \"is_causal\": false | encoder-only",
                "\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2} | old positions are re-indexed",
                "\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"longrope\"} | cached keys become wrong",
            })
    void modelsWhoseOldTokensChangeOpenOnlyToSayWhy(String fields, String reason) {
        new TestingFolder(folder)
                .file("config.json", TestingFolder.CONFIG.replace("\"model_type\": \"llama\"", fields));
        try (ModelFile model = ModelFile.open(folder)) {
            assertThat(model.metadata().cachingObstacle().orElseThrow()).contains(reason);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"hidden_size\": 16 | \"hidden_act\": \"gelu\", \"hidden_size\": 16 | hidden_act: found gelu, expected silu",
                "\"hidden_size\": 16 | \"quantization_config\": {\"quant_method\": \"gptq\"} | quantization_config: found gptq",
                "\"model_type\": \"llama\" | \"model_type\": \"mistral\", \"sliding_window\": 64 | sliding_window: found 64, expected none",
                "\"model_type\": \"llama\" | \"model\": 1 | model_type: found nothing",
                "\"num_hidden_layers\": 1 | \"num_hidden_layers\": 0 | num_hidden_layers: found 0, expected 1 to",
                "\"num_hidden_layers\": 1 | \"num_hidden_layers\": 1.5 | num_hidden_layers: found 1.5, expected an integer",
                "\"hidden_size\": 16 | \"hidden_size\": 16, \"hidden_size\": 17 | Duplicate",
                "\"vocab_size\": 9, | | JSON",
            })
    void aConfigurationThatCannotBeServedIsRefusedByItsOwnFieldNames(String found, String instead, String message) {
        TestingFolder.whole(folder)
                .file("config.json", TestingFolder.CONFIG.replace(found, instead == null ? "," : instead));
        assertThatThrownBy(() -> {
                    try (ModelFile model = ModelFile.open(folder)) {
                        model.metadata().layers();
                    }
                })
                .isInstanceOf(ModelFileException.class)
                .hasMessageContaining("config.json: ")
                .hasMessageContaining(message);
    }

    @Test
    void aFolderThatIsNoModelIsRefused() {
        assertThatThrownBy(() -> ModelFile.open(folder)).hasMessageContaining("a folder without config.json");
        TestingFolder empty = new TestingFolder(folder).file("config.json", TestingFolder.CONFIG);
        assertThatThrownBy(empty::open).hasMessageContaining("convert the weights to safetensors");
        TestingFolder quantised = empty.file(
                "model.safetensors",
                new TestingFolder.Safetensors()
                        .tensor("model.norm.weight", "F8_E4M3", List.of(16), new byte[16])
                        .bytes());
        assertThatThrownBy(quantised::open).hasMessageContaining("model.norm.weight.dtype: found F8_E4M3");
    }

    private RopeScaling scaling(String json) {
        String config =
                TestingFolder.CONFIG.replace("\"vocab_size\"", "\"rope_scaling\": " + json + ", \"vocab_size\"");
        try (ModelFile model =
                TestingFolder.whole(folder).file("config.json", config).open()) {
            return model.metadata().rope().scaling();
        }
    }
}

package io.baton.model.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFileTest {

    @TempDir
    Path folder;

    @Test
    void whatTheWriterWritesTheReaderReads() {
        try (ModelFile model = open(TestingModels.llama(1))) {
            ModelMetadata metadata = model.metadata();
            assertThat(metadata.architecture()).isEqualTo("llama");
            assertThat(metadata.name()).isEqualTo("testing");
            assertThat(metadata.layers()).isEqualTo(1);
            assertThat(metadata.dim()).isEqualTo(TestingModels.DIM);
            assertThat(metadata.hiddenDim()).isEqualTo(TestingModels.HIDDEN);
            assertThat(metadata.heads()).isEqualTo(TestingModels.HEADS);
            assertThat(metadata.kvHeads()).isEqualTo(TestingModels.KV_HEADS);
            assertThat(metadata.headDim()).isEqualTo(TestingModels.HEAD_DIM);
            assertThat(metadata.contextLength()).isEqualTo(128);
            assertThat(metadata.vocabularySize()).isEqualTo(9);
            assertThat(metadata.normEpsilon()).isEqualTo(1e-5f);
            assertThat(metadata.tiedOutput()).isTrue();
            assertThat(metadata.cachingObstacle()).isEmpty();
            assertThat(metadata.rope())
                    .isEqualTo(new RopeParameters(
                            4, 10_000, RopePairs.ADJACENT, new RopeScaling.None(), new float[] {1, 8}));

            Tensor query = model.requireTensor("blk.0.attn_q.weight");
            assertThat(query.rows()).isEqualTo(16);
            assertThat(query.columns()).isEqualTo(16);
            assertThat(Elements.read(query, 0)).isNotEqualTo(Elements.read(query, 1));
            assertThat(model.requireTensor("blk.0.ffn_down.weight").rowBytes()).isEqualTo(34);
            assertThat(model.tensor("output.weight")).isEmpty();
            assertThatThrownBy(() -> model.requireTensor("output.weight")).hasMessageContaining("output.weight");

            VocabularyFile expected = TestingModels.vocabulary();
            VocabularyFile vocabulary = model.vocabulary();
            assertThat(vocabulary.tokens()).isEqualTo(expected.tokens());
            assertThat(vocabulary.kinds()).isEqualTo(expected.kinds());
            assertThat(vocabulary.scores()).containsExactly(expected.scores());
            assertThat(vocabulary.merges()).isEqualTo(expected.merges());
            assertThat(vocabulary.special()).isEqualTo(expected.special());
            assertThat(vocabulary.chatTemplate()).contains("{{ messages }}");
        }
    }

    @Test
    void aFileWithoutAVocabularySaysSoWhenAskedForIt() {
        try (ModelFile model = open(new GgufWriter().text("general.architecture", "llama"))) {
            assertThat(model.hasVocabulary()).isFalse();
            assertThatThrownBy(model::vocabulary).hasMessageContaining("tokenizer");
        }
    }

    @Test
    void aMissingOrAbsurdSizeIsRefusedByName() {
        try (ModelFile model = open(new GgufWriter()
                .text("general.architecture", "llama")
                .integer("llama.block_count", 0)
                .integer("llama.embedding_length", -1)
                .text("llama.feed_forward_length", "wide"))) {
            ModelMetadata metadata = model.metadata();
            assertThatThrownBy(metadata::layers).hasMessageContaining("llama.block_count: found 0, expected 1 to");
            assertThatThrownBy(metadata::dim).hasMessageContaining("found 4294967295");
            assertThatThrownBy(metadata::hiddenDim).hasMessageContaining("found text of 4 characters");
            assertThatThrownBy(metadata::heads).hasMessageContaining("llama.attention.head_count: found nothing");
        }
    }

    @Test
    void perLayerSizesAreTakenWhenAllLayersAgree() {
        try (ModelFile model = open(new GgufWriter()
                .text("general.architecture", "llama")
                .integers("llama.attention.head_count_kv", new int[] {2, 2, 2})
                .integers("llama.feed_forward_length", new int[] {2, 3, 2}))) {
            assertThat(model.metadata().kvHeads()).isEqualTo(2);
            assertThatThrownBy(model.metadata()::hiddenDim).hasMessageContaining("differ by layer");
        }
    }

    @Test
    void everyRopeScalingOfTheLlamaFamilyIsUnderstood() {
        assertThat(scaling(TestingModels.keys("llama"))).isEqualTo(new RopeScaling.None());
        assertThat(scaling(TestingModels.keys("llama")
                        .text("llama.rope.scaling.type", "linear")
                        .number("llama.rope.scaling.factor", 4)))
                .isEqualTo(new RopeScaling.Linear(4));
        assertThat(scaling(TestingModels.keys("llama").number("llama.rope.scale_linear", 2)))
                .isEqualTo(new RopeScaling.Linear(2));
        assertThat(scaling(TestingModels.keys("llama")
                        .text("llama.rope.scaling.type", "yarn")
                        .number("llama.rope.scaling.factor", 16)
                        .integer("llama.rope.scaling.original_context_length", 4096)))
                .isEqualTo(new RopeScaling.Yarn(16, 4096, 32, 1, 0));
    }

    @Test
    void modelsWhoseOldTokensChangeAreNamedWithTheReason() {
        assertThat(obstacle(TestingModels.keys("bert"))).contains("encoder-only");
        assertThat(obstacle(TestingModels.keys("t5"))).contains("encoder-decoder");
        assertThat(obstacle(TestingModels.keys("llama").flag("llama.attention.causal", false)))
                .contains("encoder-only");
        assertThat(obstacle(TestingModels.keys("llama").text("llama.rope.scaling.type", "longrope")))
                .contains("cached keys become wrong");
    }

    @Test
    void theWeightsDigestChangesWithAnyWeightAndWithNothingElse() {
        byte[] digest = digest(TestingModels.llama(1));
        assertThat(digest(TestingModels.llama(1))).isEqualTo(digest);
        assertThat(digest(TestingModels.llama(1).text("general.description", "renamed")))
                .isEqualTo(digest);
        assertThat(digest(TestingModels.llama(2))).isNotEqualTo(digest);
        assertThat(digest(TestingModels.llama(1).tensor("output.weight", List.of(1L), new float[1])))
                .isNotEqualTo(digest);
    }

    @Test
    void theWeightsDigestDoesNotDependOnTheOrderOfRotatedRows() {
        float[] adjacent = TestingModels.floats(new Random(4), 16 * 16);
        float[] halves = new float[adjacent.length];
        for (int head = 0; head < 4; head++) {
            for (int row = 0; row < 4; row++) {
                int from = head * 4 + (row < 2 ? 2 * row : 2 * (row - 2) + 1);
                System.arraycopy(adjacent, from * 16, halves, (head * 4 + row) * 16, 16);
            }
        }
        // Llama files keep pairs adjacent, Qwen2 files in halves.
        assertThat(digest(TestingModels.keys("llama").tensor("blk.0.attn_q.weight", List.of(16L, 16L), adjacent)))
                .isEqualTo(
                        digest(TestingModels.keys("qwen2").tensor("blk.0.attn_q.weight", List.of(16L, 16L), halves)));
    }

    @Test
    void publishedFilesOpen() throws IOException {
        try (ModelFile model =
                ModelFile.open(TestingModels.shared("models/stories260K/derived/stories260K-q8_0.gguf"))) {
            assertThat(model.metadata().layers()).isEqualTo(5);
            assertThat(model.metadata().vocabularySize()).isEqualTo(512);
            assertThat(model.requireTensor("blk.4.attn_k.weight").type()).isEqualTo(TensorType.Q8_0);
        }
        Path tiny = TestingModels.shared("models/llama-2-tiny-random/llama-2-tiny-random.gguf");
        try (ModelFile model = ModelFile.open(tiny)) {
            assertThat(model.metadata().tiedOutput()).isFalse();
            assertThat(model.vocabulary().size()).isEqualTo(32_000);
            assertThat(model.vocabulary().addSpacePrefix()).isTrue();
        }
        Path cut = Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(Files.readAllBytes(tiny), 1_000_000));
        assertThatThrownBy(() -> ModelFile.open(cut))
                .isInstanceOf(ModelFileException.class)
                .hasMessageContaining("cut.gguf")
                .hasMessageContaining("truncated");
    }

    private RopeScaling scaling(GgufWriter writer) {
        try (ModelFile model = open(writer)) {
            return model.metadata().rope().scaling();
        }
    }

    private String obstacle(GgufWriter writer) {
        try (ModelFile model = open(writer)) {
            return model.metadata().cachingObstacle().orElseThrow();
        }
    }

    private byte[] digest(GgufWriter writer) {
        try (ModelFile model = open(writer)) {
            return model.weightsDigest();
        }
    }

    private ModelFile open(GgufWriter writer) {
        try {
            Path path = Files.createTempFile(folder, "model", ".gguf");
            writer.write(path);
            return ModelFile.open(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.baton.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.model.files.ModelFile;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SyntheticModelTest {

    @TempDir
    Path folder;

    static Stream<TensorType> types() {
        return Arrays.stream(RandomBlocks.names().split(", ")).map(RandomBlocks::type);
    }

    @ParameterizedTest
    @MethodSource("types")
    void theFileAndTheModelInMemoryAreTheSame(TensorType type) throws IOException {
        SyntheticModel model = SyntheticModel.of(SyntheticShape.TINY, type);
        Path path = folder.resolve("tiny.gguf");
        model.write(path);
        assertThat(Files.size(path)).isEqualTo(model.size());
        try (ModelFile file = ModelFile.open(path);
                ModelFile memory = model.inMemory()) {
            assertThat(memory.weightsDigest()).isEqualTo(file.weightsDigest());
            assertThat(memory.tokenizerDigest()).isEqualTo(file.tokenizerDigest());
            assertThat(memory.metadata().layers()).isEqualTo(4);
            Tensor embedding = memory.requireTensor("token_embd.weight");
            assertThat(embedding.type()).isEqualTo(type);
            assertThat(embedding
                            .bytes()
                            .mismatch(
                                    memory.requireTensor("blk.0.ffn_up.weight").bytes()))
                    .isBetween(0L, 64L); // drawn anew
        }
    }

    @Test
    void aTypeNobodyMakesIsRefusedWithThoseThereAre() {
        assertThatThrownBy(() -> RandomBlocks.type("q9"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no random weights of type q9; there are f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, "
                        + "iq4_nl, q4_k, q5_k, q6_k");
        assertThatThrownBy(() -> SyntheticShape.of("llama-9"))
                .hasMessage("no shape named llama-9; there are tiny, 110m, llama-3.2-1b, llama-3.2-3b, llama-3.1-8b");
    }
}

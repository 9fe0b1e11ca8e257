package io.baton.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.ActivationMode;
import io.baton.engine.EngineException;
import io.baton.engine.LoadProgress;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.PanelWriter;
import io.baton.engine.kernel.ScalarKernels;
import io.baton.engine.memory.OffHeap;
import io.baton.model.files.GgufWriter;
import io.baton.model.files.ModelFile;
import io.baton.model.files.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlamaFilesTest {

    @TempDir
    Path folder;

    @Test
    void aSmallLlamaIsAccepted() throws IOException {
        try (ModelFile file = open(tensors(new GgufWriter(), "llama"))) {
            assertThatCode(() -> LlamaFiles.check(file)).doesNotThrowAnyException();
            assertThat(LlamaFiles.shape(file).kvHeads()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "bert, encoder-only",
        "nomic-bert, encoder-only",
        "t5, encoder-decoder",
        "mamba, architecture mamba is not served"
    })
    void otherArchitecturesAreRefusedWithTheReason(String architecture, String reason) throws IOException {
        refused(tensors(new GgufWriter(), architecture), reason);
    }

    @Test
    void positionsThatMoveAreRefused() throws IOException {
        refused(
                tensors(new GgufWriter().text("llama.rope.scaling.type", "rerope"), "llama"),
                "re-indexed, so that cached keys become wrong");
    }

    @Test
    void aSlidingWindowIsRefused() throws IOException {
        refused(
                tensors(new GgufWriter().integer("llama.attention.sliding_window", 32), "llama"),
                "llama.attention.sliding_window is 32");
    }

    @ParameterizedTest
    @CsvSource({"Q8_0, F32", "Q8_0, Q8", "Q4_0, F32", "Q4_0, Q8", "F16, F32", "BF16, F32", "BF16, BF16"})
    void storedValuesArePackedWithoutLoss(TensorType type, ActivationMode mode) throws IOException {
        byte[] content = new byte[11 * (int) type.rowBytes(64)];
        new Random(1).nextBytes(content);
        for (int i = 1; i < content.length; i += type.blockElements() > 1 ? type.blockBytes() : 2) {
            content[i] &= (byte) 0xbb; // no infinite or NaN f16 or bf16
        }
        GgufWriter writer =
                keys(new GgufWriter(), "llama", 64).tensor("token_embd.weight", type, List.of(11L, 64L), content);
        try (ModelFile file = open(writer);
                Arena arena = Arena.ofConfined()) {
            TensorRows rows = new TensorRows(file.requireTensor("token_embd.weight"));
            PanelWriter panels = PanelWriter.of(ModelPacker.format(mode, 64), 11, 64, arena);
            float[] stored = new float[64];
            float[] packed = new float[64];
            long y = arena.allocate(256, 64).address();
            for (int row = 0; row < 11; row++) {
                assertThat(rows.write(row, panels, row, stored)).isTrue();
                rows.read(row, stored);
                new ScalarKernels().row(panels.matrix(), row, y);
                OffHeap.copy(y, packed, 64);
                for (int i = 0; i < 64; i++) {
                    float expected = mode == ActivationMode.BF16 && Math.abs(stored[i]) < 0x1p-55f ? 0 : stored[i];
                    assertThat(packed[i]).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void aTensorNobodyWouldReadIsRefusedByName() throws IOException {
        refused(
                tensors(new GgufWriter().tensor("blk.0.attn_q.bias", List.of(8L), new float[8]), "llama"),
                "blk.0.attn_q.bias");
    }

    @Test
    void aTypeThatCannotBeReadIsRefusedByName() throws IOException {
        GgufWriter writer = tensors(new GgufWriter(), "llama");
        writer.tensor("output.weight", TensorType.Q6_K, List.of(1L, 256L), new byte[TensorType.Q6_K.blockBytes()]);
        refused(writer, "output.weight is stored as Q6_K");
    }

    @Test
    void aMatrixOfTheWrongShapeIsRefusedByName() throws IOException {
        GgufWriter writer =
                keys(new GgufWriter(), "llama").tensor("token_embd.weight", List.of(11L, 9L), new float[99]);
        try (ModelFile file = open(writer);
                ComputeTeam team = ComputeTeam.of(1)) {
            assertThatThrownBy(() -> ModelPacker.pack(file, ActivationMode.F32, team, LoadProgress.NONE))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("token_embd.weight has shape [11, 9], expected [11, 8]");
        }
    }

    @Test
    void aWeightThatIsNotFiniteIsRefusedByName() throws IOException {
        float[] values = new float[88];
        values[50] = Float.NaN;
        GgufWriter writer = keys(new GgufWriter(), "llama").tensor("token_embd.weight", List.of(11L, 8L), values);
        try (ModelFile file = open(writer);
                ComputeTeam team = ComputeTeam.of(2)) {
            assertThatThrownBy(() -> ModelPacker.pack(file, ActivationMode.BF16, team, LoadProgress.NONE))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("token_embd.weight holds a weight that is not finite");
        }
    }

    @Test
    void theFileAloneDecidesTheActivationMode() throws IOException {
        GgufWriter plain = tensors(new GgufWriter(), "llama");
        try (ModelFile file = open(plain)) {
            assertThat(LlamaFiles.defaultMode(file)).isEqualTo(ActivationMode.F32);
        }
        byte[] bf16 = new byte[16];
        try (ModelFile file = open(plain.tensor("output.weight", TensorType.BF16, List.of(1L, 8L), bf16))) {
            assertThat(LlamaFiles.defaultMode(file)).isEqualTo(ActivationMode.BF16);
        }
        byte[] q8 = new byte[TensorType.Q8_0.blockBytes()];
        try (ModelFile file = open(plain.tensor("rope_freqs.weight", TensorType.Q8_0, List.of(1L, 32L), q8))) {
            assertThat(LlamaFiles.defaultMode(file)).isEqualTo(ActivationMode.Q8);
        }
    }

    @Test
    void packingReportsProgressUpToTheEnd() throws IOException {
        List<long[]> reports = new ArrayList<>();
        try (ModelFile file = open(tensors(new GgufWriter(), "llama"));
                ComputeTeam team = ComputeTeam.of(2)) {
            ModelPacker.pack(file, ActivationMode.F32, team, (done, total) -> reports.add(new long[] {done, total}))
                    .close();
        }
        assertThat(reports).hasSizeGreaterThan(7);
        assertThat(reports.getLast()[0]).isEqualTo(reports.getLast()[1]);
    }

    private void refused(GgufWriter writer, String reason) throws IOException {
        try (ModelFile file = open(writer)) {
            assertThatThrownBy(() -> LlamaFiles.check(file))
                    .isInstanceOfSatisfying(
                            EngineException.class,
                            e -> assertThat(e.kind()).isEqualTo(EngineException.Kind.UNSUPPORTED_MODEL))
                    .hasMessageContaining(reason)
                    .hasMessageContaining("model.gguf");
        }
    }

    private ModelFile open(GgufWriter writer) throws IOException {
        Path path = folder.resolve("model.gguf");
        writer.write(path);
        return ModelFile.open(path);
    }

    private static GgufWriter keys(GgufWriter writer, String architecture) {
        return keys(writer, architecture, 8);
    }

    private static GgufWriter keys(GgufWriter writer, String architecture, int dim) {
        return writer.text("general.architecture", architecture)
                .integer(architecture + ".block_count", 1)
                .integer(architecture + ".embedding_length", dim)
                .integer(architecture + ".feed_forward_length", 12)
                .integer(architecture + ".attention.head_count", 2)
                .integer(architecture + ".attention.head_count_kv", 1)
                .integer(architecture + ".context_length", 64)
                .number(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
    }

    private static GgufWriter tensors(GgufWriter writer, String architecture) {
        return keys(writer, architecture)
                .tensor("token_embd.weight", List.of(11L, 8L), new float[88])
                .tensor("output_norm.weight", List.of(8L), new float[8])
                .tensor("blk.0.attn_norm.weight", List.of(8L), new float[8])
                .tensor("blk.0.attn_q.weight", List.of(8L, 8L), new float[64])
                .tensor("blk.0.attn_k.weight", List.of(4L, 8L), new float[32])
                .tensor("blk.0.attn_v.weight", List.of(4L, 8L), new float[32])
                .tensor("blk.0.attn_output.weight", List.of(8L, 8L), new float[64])
                .tensor("blk.0.ffn_norm.weight", List.of(8L), new float[8])
                .tensor("blk.0.ffn_gate.weight", List.of(12L, 8L), new float[96])
                .tensor("blk.0.ffn_up.weight", List.of(12L, 8L), new float[96])
                .tensor("blk.0.ffn_down.weight", List.of(8L, 12L), new float[96]);
    }
}

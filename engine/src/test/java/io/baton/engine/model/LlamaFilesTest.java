package io.baton.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.ActivationMode;
import io.baton.engine.EngineException;
import io.baton.engine.LoadProgress;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;
import io.baton.engine.kernel.PanelWriter;
import io.baton.engine.kernel.ScalarKernels;
import io.baton.engine.kernel.TestingBlocks;
import io.baton.engine.memory.OffHeap;
import io.baton.model.files.GgufWriter;
import io.baton.model.files.ModelFile;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

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

    static List<Arguments> storedTypes() {
        List<Arguments> cases = new ArrayList<>(List.of(
                Arguments.of(TensorType.F16, ActivationMode.F32),
                Arguments.of(TensorType.BF16, ActivationMode.F32),
                Arguments.of(TensorType.BF16, ActivationMode.BF16)));
        for (TensorType type : QuantisedTypesTest.types()) {
            cases.add(Arguments.of(type, ActivationMode.F32));
            cases.add(Arguments.of(type, ActivationMode.Q8));
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("storedTypes")
    void storedValuesArePackedWithoutLoss(TensorType type, ActivationMode mode) throws IOException {
        GgufWriter writer = keys(new GgufWriter(), "llama", 256)
                .tensor("token_embd.weight", type, List.of(11L, 256L), content(type, 11 * 256));
        try (ModelFile file = open(writer);
                Arena arena = Arena.ofConfined()) {
            TensorRows rows = new TensorRows(file.requireTensor("token_embd.weight"));
            PanelWriter panels = PanelWriter.of(ModelPacker.format(mode, type, 256), 11, 256, arena);
            float[] stored = new float[256];
            float[] packed = new float[256];
            long y = arena.allocate(1024, 64).address();
            for (int row = 0; row < 11; row++) {
                assertThat(rows.write(row, panels, row)).isTrue();
                rows.read(row, stored);
                new ScalarKernels().row(panels.matrix(), row, y);
                OffHeap.copy(y, packed, 256);
                for (int i = 0; i < 256; i++) {
                    float expected = mode == ActivationMode.BF16 && Math.abs(stored[i]) < 0x1p-55f ? 0 : stored[i];
                    assertThat(packed[i]).isEqualTo(expected);
                }
            }
        }
    }

    /** Random blocks; for plain numbers random bits that are finite. */
    private static byte[] content(TensorType type, int elements) {
        Random random = new Random(1);
        if (TensorRows.quantised(type).isPresent()) {
            return TestingBlocks.row(TensorRows.quantised(type).get(), random, elements);
        }
        byte[] content = new byte[elements * type.blockBytes()];
        random.nextBytes(content);
        for (int i = 1; i < content.length; i += 2) {
            content[i] &= (byte) 0xbb; // no infinite or NaN f16 or bf16
        }
        return content;
    }

    @ParameterizedTest
    @MethodSource("io.baton.engine.model.QuantisedTypesTest#types")
    void aScaleThatIsNotFiniteIsRefusedByName(TensorType type) throws IOException {
        MatrixFormat format = TensorRows.quantised(type).orElseThrow();
        for (ActivationMode mode : ActivationMode.values()) {
            for (int half : TestingBlocks.halves(format)) {
                byte[] content = content(type, 11 * 256);
                int lastBlock = content.length - type.blockBytes();
                content[lastBlock + half + 1] = (byte) 0xfc; // minus infinity, or NaN
                GgufWriter writer = withoutEmbedding(new GgufWriter(), "llama", 256)
                        .tensor("token_embd.weight", type, List.of(11L, 256L), content);
                try (ModelFile file = open(writer);
                        ComputeTeam team = ComputeTeam.of(1)) {
                    assertThatThrownBy(() -> ModelPacker.pack(file, mode, team, LoadProgress.NONE))
                            .isInstanceOf(EngineException.class)
                            .hasMessageContaining("token_embd.weight holds a weight that is not finite");
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.baton.engine.model.QuantisedTypesTest#types")
    void packedBlocksTakeLittleMoreThanInTheFile(TensorType type) throws IOException {
        GgufWriter writer = QuantisedModels.llama(type, 3, QuantisedModels.WIDE);
        try (ModelFile file = open(writer);
                ComputeTeam team = ComputeTeam.of(2)) {
            LlamaFiles.check(file);
            long stored = 0;
            for (Tensor tensor : file.tensors()) {
                stored += tensor.shape().size() == 2 ? tensor.bytes().byteSize() : 0;
            }
            try (PackedModel model = ModelPacker.pack(file, ActivationMode.Q8, team, LoadProgress.NONE)) {
                long packed =
                        model.matrices().stream().mapToLong(PackedMatrix::bytes).sum();
                assertThat(packed).isBetween(stored, stored * 115 / 100);
                assertThat(ModelPacker.memoryBytes(file, ActivationMode.Q8)).isGreaterThanOrEqualTo(packed);
                assertThat(model.formats())
                        .containsExactly(TensorRows.quantised(type).orElseThrow());
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
        writer.tensor("output.weight", TensorType.Q2_K, List.of(1L, 256L), new byte[TensorType.Q2_K.blockBytes()]);
        refused(
                writer,
                "output.weight is stored as Q2_K, expected one of [F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K,"
                        + " Q6_K, IQ4_NL, BF16]; convert the model to one of them");
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
        GgufWriter writer =
                withoutEmbedding(new GgufWriter(), "llama", 8).tensor("token_embd.weight", List.of(11L, 8L), values);
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
    void aMatrixThatSeveralWorkersPackIsTheSameAsRowByRow() throws IOException {
        int rows = 270_000; // more than one share of F32
        float[] values = new float[rows * 8];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        GgufWriter writer = withoutEmbedding(new GgufWriter(), "llama", 8)
                .tensor("token_embd.weight", List.of((long) rows, 8L), values);
        try (ModelFile file = open(writer);
                Arena arena = Arena.ofConfined();
                ComputeTeam team = ComputeTeam.of(3);
                PackedModel model = ModelPacker.pack(file, ActivationMode.F32, team, LoadProgress.NONE)) {
            PanelWriter expected = PanelWriter.of(MatrixFormat.F32, rows, 8, arena);
            for (int row = 0; row < rows; row++) {
                expected.floats(row, Arrays.copyOfRange(values, row * 8, (row + 1) * 8));
            }
            assertThat(model.embedding().panels().mismatch(expected.matrix().panels()))
                    .isEqualTo(-1);
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
        return withoutEmbedding(writer, architecture, 8).tensor("token_embd.weight", List.of(11L, 8L), new float[88]);
    }

    private static GgufWriter withoutEmbedding(GgufWriter writer, String architecture, int dim) {
        keys(writer, architecture, dim);
        vector(writer, "output_norm.weight", dim);
        vector(writer, "blk.0.attn_norm.weight", dim);
        matrix(writer, "blk.0.attn_q.weight", dim, dim);
        matrix(writer, "blk.0.attn_k.weight", dim / 2, dim);
        matrix(writer, "blk.0.attn_v.weight", dim / 2, dim);
        matrix(writer, "blk.0.attn_output.weight", dim, dim);
        vector(writer, "blk.0.ffn_norm.weight", dim);
        matrix(writer, "blk.0.ffn_gate.weight", 12, dim);
        matrix(writer, "blk.0.ffn_up.weight", 12, dim);
        matrix(writer, "blk.0.ffn_down.weight", dim, 12);
        return writer;
    }

    private static void vector(GgufWriter writer, String name, long length) {
        writer.tensor(name, List.of(length), new float[(int) length]);
    }

    private static void matrix(GgufWriter writer, String name, long rows, long columns) {
        writer.tensor(name, List.of(rows, columns), new float[(int) (rows * columns)]);
    }
}

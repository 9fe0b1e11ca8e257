package io.baton.model.files;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;

/** A small synthetic Llama, and where published models lie. */
final class TestingModels {

    static final int DIM = 16;
    static final int HEADS = 4;
    static final int KV_HEADS = 2;
    static final int HEAD_DIM = 4;
    static final int HIDDEN = 24;

    private TestingModels() {}

    /** A published model or vocabulary; a test that asks for one is skipped where it is absent. */
    static Path shared(String name) {
        Path path =
                Path.of(System.getProperty("baton.shared", "absent"), "data").resolve(name);
        Assumptions.assumeTrue(Files.exists(path), () -> path + " is absent");
        return path;
    }

    static byte[] bytes(GgufWriter writer) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            writer.write(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    static VocabularyFile vocabulary() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<TokenKind> kinds = new ArrayList<>(List.of(TokenKind.UNKNOWN, TokenKind.CONTROL, TokenKind.CONTROL));
        for (String word : List.of("\u2581", "a", "b", "ab", "\u2581ab", "é")) {
            tokens.add(word);
            kinds.add(TokenKind.NORMAL);
        }
        float[] scores = {0, 0, 0, -5, -6, -7, -1, -2, -8};
        SpecialTokens special = new SpecialTokens(
                OptionalInt.of(1), OptionalInt.of(2), OptionalInt.of(0), OptionalInt.empty(), Set.of(2));
        return new VocabularyFile(
                "llama",
                "default",
                tokens,
                scores,
                kinds,
                List.of(new VocabularyFile.Merge("a", "b")),
                special,
                true,
                false,
                true,
                false,
                Optional.of("{{ messages }}"));
    }

    /** Keys of a one-layer Llama, without tensors. */
    static GgufWriter keys(String architecture) {
        return new GgufWriter()
                .text("general.architecture", architecture)
                .text("general.name", "testing")
                .integer(architecture + ".context_length", 128)
                .integer(architecture + ".embedding_length", DIM)
                .integer(architecture + ".block_count", 1)
                .integer(architecture + ".feed_forward_length", HIDDEN)
                .integer(architecture + ".attention.head_count", HEADS)
                .integer(architecture + ".attention.head_count_kv", KV_HEADS)
                .number(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f)
                .number(architecture + ".rope.freq_base", 10000f)
                .vocabulary(vocabulary());
    }

    /** A one-layer Llama with random weights, tensors of several types among them. */
    static GgufWriter llama(long seed) {
        GgufWriter writer = keys("llama");
        Random random = new Random(seed);
        writer.tensor("token_embd.weight", List.of(9L, 16L), floats(random, 9 * DIM));
        writer.tensor("blk.0.attn_norm.weight", List.of(16L), floats(random, DIM));
        writer.tensor("blk.0.attn_q.weight", List.of(16L, 16L), floats(random, DIM * DIM));
        writer.tensor("blk.0.attn_k.weight", List.of(8L, 16L), floats(random, DIM * DIM / 2));
        writer.tensor("blk.0.attn_v.weight", TensorType.F16, List.of(8L, 16L), bytes(random, 8 * DIM * 2));
        writer.tensor("blk.0.ffn_down.weight", TensorType.Q8_0, List.of(2L, 32L), bytes(random, 2 * 34));
        writer.tensor("rope_freqs.weight", List.of(2L), new float[] {1, 8});
        return writer;
    }

    static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    static byte[] bytes(Random random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}

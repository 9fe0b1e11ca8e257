package io.baton.prefill;

import io.baton.model.files.GgufWriter;
import io.baton.model.files.SpecialTokens;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/** A small Llama with random weights. */
final class TinyModel {

    static final int VOCABULARY = 40;
    static final int CONTEXT = 512;
    static final int LAYERS = 3;

    private static final int DIM = 32;
    private static final int KV_DIM = 16;
    private static final int HIDDEN = 48;

    private TinyModel() {}

    static Path write(Path directory, long seed) throws IOException {
        GgufWriter writer = new GgufWriter()
                .text("general.architecture", "llama")
                .text("general.name", "tiny")
                .integer("llama.context_length", CONTEXT)
                .integer("llama.embedding_length", DIM)
                .integer("llama.block_count", LAYERS)
                .integer("llama.feed_forward_length", HIDDEN)
                .integer("llama.attention.head_count", 4)
                .integer("llama.attention.head_count_kv", 2)
                .number("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .number("llama.rope.freq_base", 10000f)
                .vocabulary(vocabulary());
        Random random = new Random(seed);
        matrix(writer, random, "token_embd", VOCABULARY, DIM);
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            norm(writer, block + "attn_norm");
            matrix(writer, random, block + "attn_q", DIM, DIM);
            matrix(writer, random, block + "attn_k", KV_DIM, DIM);
            matrix(writer, random, block + "attn_v", KV_DIM, DIM);
            matrix(writer, random, block + "attn_output", DIM, DIM);
            norm(writer, block + "ffn_norm");
            matrix(writer, random, block + "ffn_gate", HIDDEN, DIM);
            matrix(writer, random, block + "ffn_up", HIDDEN, DIM);
            matrix(writer, random, block + "ffn_down", DIM, HIDDEN);
        }
        norm(writer, "output_norm");
        Path file = directory.resolve("tiny-%d.gguf".formatted(seed));
        writer.write(file);
        return file;
    }

    private static void matrix(GgufWriter writer, Random random, String name, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() / Math.sqrt(columns));
        }
        writer.tensor(name + ".weight", List.of((long) rows, (long) columns), values);
    }

    private static void norm(GgufWriter writer, String name) {
        float[] ones = new float[DIM];
        Arrays.fill(ones, 1);
        writer.tensor(name + ".weight", List.of((long) DIM), ones);
    }

    private static VocabularyFile vocabulary() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<TokenKind> kinds = new ArrayList<>(List.of(TokenKind.UNKNOWN, TokenKind.CONTROL, TokenKind.CONTROL));
        for (int id = tokens.size(); id < VOCABULARY; id++) {
            tokens.add("t" + id);
            kinds.add(TokenKind.NORMAL);
        }
        SpecialTokens special = new SpecialTokens(
                OptionalInt.of(1), OptionalInt.of(2), OptionalInt.of(0), OptionalInt.empty(), Set.of(2));
        return new VocabularyFile(
                "llama",
                "default",
                tokens,
                new float[VOCABULARY],
                kinds,
                Collections.emptyList(),
                special,
                true,
                false,
                true,
                false,
                Optional.empty());
    }
}

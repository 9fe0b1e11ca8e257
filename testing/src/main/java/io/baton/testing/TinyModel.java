package io.baton.testing;

import io.baton.model.files.GgufWriter;
import io.baton.model.files.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A random model of the Llama family in a file of its own. It has learned nothing, but computes as any other does:
 * every token depends on all tokens before it.
 *
 * @param contextLength positions; the other sizes are what makes a prompt of a few thousand tokens take about a second
 */
public record TinyModel(int layers, int dim, int heads, int kvHeads, int hiddenDim, int contextLength, long seed) {

    /** Byte tokens and specials come first, then words nobody can read. */
    public static final int VOCABULARY = 320;

    public static TinyModel ofContext(int contextLength) {
        return new TinyModel(3, 64, 4, 2, 128, contextLength, 11);
    }

    /** Writes the model into a file. */
    public Path writeTo(Path file) throws IOException {
        writer(10_000, TensorType.F32).write(file);
        return file;
    }

    /** The model, not yet in a file, so that a test can add keys; its matrices are of F32, F16 or BF16. */
    public GgufWriter writer(float ropeBase, TensorType matrices) {
        Random random = new Random(seed);
        GgufWriter writer = new GgufWriter()
                .text("general.architecture", "llama")
                .text("general.name", "tiny-random-%d".formatted(seed))
                .integer("llama.block_count", layers)
                .integer("llama.embedding_length", dim)
                .integer("llama.feed_forward_length", hiddenDim)
                .integer("llama.attention.head_count", heads)
                .integer("llama.attention.head_count_kv", kvHeads)
                .integer("llama.context_length", contextLength)
                .number("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .number("llama.rope.freq_base", ropeBase)
                .vocabulary(ByteVocabulary.ofSize(VOCABULARY));
        int kvDim = dim / heads * kvHeads;
        tensor(writer, "token_embd.weight", matrices, VOCABULARY, dim, values(random, VOCABULARY, dim, 1));
        for (int layer = 0; layer < layers; layer++) {
            String prefix = "blk." + layer + ".";
            writer.tensor(prefix + "attn_norm.weight", List.of((long) dim), ones(dim));
            matrix(writer, random, prefix + "attn_q.weight", matrices, dim, dim);
            matrix(writer, random, prefix + "attn_k.weight", matrices, kvDim, dim);
            matrix(writer, random, prefix + "attn_v.weight", matrices, kvDim, dim);
            matrix(writer, random, prefix + "attn_output.weight", matrices, dim, dim);
            writer.tensor(prefix + "ffn_norm.weight", List.of((long) dim), ones(dim));
            matrix(writer, random, prefix + "ffn_gate.weight", matrices, hiddenDim, dim);
            matrix(writer, random, prefix + "ffn_up.weight", matrices, hiddenDim, dim);
            matrix(writer, random, prefix + "ffn_down.weight", matrices, dim, hiddenDim);
        }
        writer.tensor("output_norm.weight", List.of((long) dim), ones(dim));
        matrix(writer, random, "output.weight", matrices, VOCABULARY, dim);
        return writer;
    }

    /** A prompt of this many tokens, the same for the same seed; none of them is special. */
    public static List<Integer> prompt(int tokens, long seed) {
        Random random = new Random(seed);
        return random.ints(tokens, ByteVocabulary.FIRST_BYTE, VOCABULARY)
                .boxed()
                .toList();
    }

    private static void matrix(GgufWriter writer, Random random, String name, TensorType type, int rows, int columns) {
        // Outputs of about the size of the inputs, so that no activation grows with depth.
        tensor(writer, name, type, rows, columns, values(random, rows, columns, (float) (1 / Math.sqrt(columns))));
    }

    private static void tensor(GgufWriter writer, String name, TensorType type, int rows, int columns, float[] values) {
        ByteBuffer content =
                ByteBuffer.allocate(values.length * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            switch (type) {
                case F32 -> content.putFloat(value);
                case F16 -> content.putShort(Float.floatToFloat16(value));
                case BF16 -> content.putShort((short) (Float.floatToRawIntBits(value) >> Short.SIZE));
                default -> throw new IllegalArgumentException("no matrices of " + type);
            }
        }
        writer.tensor(name, type, shape(rows, columns), content.array());
    }

    private static List<Long> shape(int rows, int columns) {
        return List.of((long) rows, (long) columns);
    }

    private static float[] values(Random random, int rows, int columns, float scale) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * scale;
        }
        return values;
    }

    private static float[] ones(int count) {
        float[] values = new float[count];
        Arrays.fill(values, 1);
        return values;
    }
}

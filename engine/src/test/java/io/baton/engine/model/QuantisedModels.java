package io.baton.engine.model;

import io.baton.engine.ModelShape;
import io.baton.model.files.GgufWriter;
import io.baton.model.files.ModelFile;
import io.baton.model.files.ModelMetadata;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Model files whose matrices are stored in quantised types. */
public final class QuantisedModels {

    /** Every width is a multiple of 256. */
    public static final ModelShape WIDE = new ModelShape("wide", "llama", 2, 256, 512, 4, 2, 64, 320, 256);

    private QuantisedModels() {}

    /** A Llama of random weights; {@code type} for every matrix, the tied embedding included. */
    public static GgufWriter llama(TensorType type, long seed, ModelShape shape) {
        return llama(shape, seed, name -> type);
    }

    /** Which type a matrix of this name gets. */
    @FunctionalInterface
    public interface Types {
        TensorType of(String name);
    }

    /** A Llama of random weights. */
    public static GgufWriter llama(ModelShape shape, long seed, Types types) {
        Random random = new Random(seed);
        GgufWriter writer = keys(shape, 10_000f, 1e-5f);
        int queries = shape.heads() * shape.headDim();
        int keys = shape.kvHeads() * shape.headDim();
        matrix(writer, "token_embd.weight", shape.vocabularySize(), shape.dim(), types, random);
        norm(writer, "output_norm.weight", shape.dim());
        for (int layer = 0; layer < shape.layers(); layer++) {
            String block = "blk." + layer + ".";
            norm(writer, block + "attn_norm.weight", shape.dim());
            matrix(writer, block + "attn_q.weight", queries, shape.dim(), types, random);
            matrix(writer, block + "attn_k.weight", keys, shape.dim(), types, random);
            matrix(writer, block + "attn_v.weight", keys, shape.dim(), types, random);
            matrix(writer, block + "attn_output.weight", shape.dim(), queries, types, random);
            norm(writer, block + "ffn_norm.weight", shape.dim());
            matrix(writer, block + "ffn_gate.weight", shape.hiddenDim(), shape.dim(), types, random);
            matrix(writer, block + "ffn_up.weight", shape.hiddenDim(), shape.dim(), types, random);
            matrix(writer, block + "ffn_down.weight", shape.dim(), shape.hiddenDim(), types, random);
        }
        return writer;
    }

    /** A model with its matrices rounded to {@code type}, where their rows have whole blocks. */
    public static GgufWriter requantised(ModelFile file, TensorType type) {
        ModelMetadata metadata = file.metadata();
        GgufWriter writer = keys(LlamaFiles.shape(file), (float) metadata.rope().base(), metadata.normEpsilon());
        for (Tensor tensor : file.tensors()) {
            int columns = (int) tensor.columns();
            float[] values = new float[(int) tensor.elements()];
            float[] row = new float[columns];
            for (int r = 0; r < tensor.rows(); r++) {
                new TensorRows(tensor).read(r, row);
                System.arraycopy(row, 0, values, r * columns, columns);
            }
            if (tensor.shape().size() == 2 && columns % type.blockElements() == 0) {
                writer.tensor(tensor.name(), type, tensor.shape(), TestingQuantiser.blocks(type, values));
            } else {
                writer.tensor(tensor.name(), tensor.shape(), values);
            }
        }
        return writer;
    }

    private static GgufWriter keys(ModelShape shape, float ropeBase, float epsilon) {
        return new GgufWriter()
                .text("general.architecture", "llama")
                .integer("llama.block_count", shape.layers())
                .integer("llama.embedding_length", shape.dim())
                .integer("llama.feed_forward_length", shape.hiddenDim())
                .integer("llama.attention.head_count", shape.heads())
                .integer("llama.attention.head_count_kv", shape.kvHeads())
                .integer("llama.context_length", shape.contextLength())
                .number("llama.rope.freq_base", ropeBase)
                .number("llama.attention.layer_norm_rms_epsilon", epsilon);
    }

    private static void norm(GgufWriter writer, String name, int dim) {
        float[] ones = new float[dim];
        Arrays.fill(ones, 1);
        writer.tensor(name, List.of((long) dim), ones);
    }

    private static void matrix(GgufWriter writer, String name, int rows, int columns, Types types, Random random) {
        float[] values = new float[rows * columns];
        float size = (float) (2 / Math.sqrt(columns));
        for (int i = 0; i < values.length; i++) {
            values[i] = size * (float) random.nextGaussian();
        }
        TensorType type = types.of(name);
        byte[] content = type == TensorType.F32 ? littleEndian(values) : TestingQuantiser.blocks(type, values);
        writer.tensor(name, type, List.of((long) rows, (long) columns), content);
    }

    static byte[] littleEndian(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }
}

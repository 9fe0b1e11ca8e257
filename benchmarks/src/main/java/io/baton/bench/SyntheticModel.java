package io.baton.bench;

import io.baton.model.files.GgufWriter;
import io.baton.model.files.ModelFile;
import io.baton.model.files.TensorType;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A Llama of a given shape with random weights as GGUF, in memory or as a file, so that any engine can run the very
 * same model. The same shape and type always give the same bytes.
 */
public final class SyntheticModel {

    private static final long SEED = 1;

    private final SyntheticShape shape;
    private final TensorType type;
    private final byte[] pool;
    private SplittableRandom random = new SplittableRandom(SEED);
    private final GgufWriter writer = new GgufWriter();

    private SyntheticModel(SyntheticShape shape, TensorType type) {
        this.shape = shape;
        this.type = type;
        this.pool = RandomBlocks.of(type, SEED);
    }

    /** @throws IllegalArgumentException for a type that {@link RandomBlocks} does not make */
    public static SyntheticModel of(SyntheticShape shape, TensorType type) {
        SyntheticModel model = new SyntheticModel(shape, type);
        model.keys();
        model.tensors();
        return model;
    }

    /** Bytes of the model as a file. */
    public long size() {
        return writer.size();
    }

    /** Writes the model, replacing what is there. */
    public void write(Path file) throws IOException {
        random = new SplittableRandom(SEED);
        writer.write(file);
    }

    /** The same model without a file: the bytes lie in memory until it is closed. */
    public ModelFile inMemory() throws IOException {
        random = new SplittableRandom(SEED);
        Arena arena = Arena.ofShared();
        MemorySegment gguf;
        try {
            gguf = writer.write(arena);
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
        return ModelFile.inMemory(Path.of("synthetic-" + shape.label), arena, gguf);
    }

    private void keys() {
        writer.text("general.architecture", "llama")
                .text("general.name", "synthetic-" + shape.label)
                .integer("llama.context_length", shape.contextLength)
                .integer("llama.embedding_length", shape.dim)
                .integer("llama.block_count", shape.layers)
                .integer("llama.feed_forward_length", shape.hiddenDim)
                .integer("llama.attention.head_count", shape.heads)
                .integer("llama.attention.head_count_kv", shape.kvHeads)
                .integer("llama.attention.key_length", shape.headDim)
                .integer("llama.attention.value_length", shape.headDim)
                .integer("llama.rope.dimension_count", shape.headDim)
                .integer("llama.vocab_size", shape.vocabulary)
                .number("llama.rope.freq_base", shape.ropeBase)
                .number("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .text("tokenizer.ggml.model", "llama")
                .texts(
                        "tokenizer.ggml.tokens",
                        IntStream.range(0, shape.vocabulary)
                                .mapToObj(this::tokenText)
                                .toList())
                .numbers("tokenizer.ggml.scores", new float[shape.vocabulary])
                .integers(
                        "tokenizer.ggml.token_type",
                        IntStream.range(0, shape.vocabulary)
                                .map(this::tokenKind)
                                .toArray())
                .integer("tokenizer.ggml.bos_token_id", 1)
                .integer("tokenizer.ggml.eos_token_id", 2)
                .integer("tokenizer.ggml.unknown_token_id", 0);
    }

    private String tokenText(int id) {
        if (id < 3) {
            return List.of("<unk>", "<s>", "</s>").get(id);
        }
        return id < 259 ? "<0x%02X>".formatted(id - 3) : "t" + id;
    }

    /** GGUF's token types: unknown 2, control 3, byte 6, normal 1. */
    private int tokenKind(int id) {
        if (id < 3) {
            return id == 0 ? 2 : 3;
        }
        return id < 259 ? 6 : 1;
    }

    private void tensors() {
        int queries = shape.heads * shape.headDim;
        int keys = shape.kvHeads * shape.headDim;
        matrix("token_embd.weight", shape.vocabulary, shape.dim);
        for (int layer = 0; layer < shape.layers; layer++) {
            String prefix = "blk." + layer + ".";
            norm(prefix + "attn_norm.weight");
            matrix(prefix + "attn_q.weight", queries, shape.dim);
            matrix(prefix + "attn_k.weight", keys, shape.dim);
            matrix(prefix + "attn_v.weight", keys, shape.dim);
            matrix(prefix + "attn_output.weight", shape.dim, queries);
            norm(prefix + "ffn_norm.weight");
            matrix(prefix + "ffn_gate.weight", shape.hiddenDim, shape.dim);
            matrix(prefix + "ffn_up.weight", shape.hiddenDim, shape.dim);
            matrix(prefix + "ffn_down.weight", shape.dim, shape.hiddenDim);
        }
        norm("output_norm.weight");
    }

    private void norm(String name) {
        float[] ones = new float[shape.dim];
        Arrays.fill(ones, 1);
        writer.tensor(name, List.of((long) shape.dim), ones);
    }

    private void matrix(String name, long rows, long columns) {
        writer.tensor(name, type, List.of(rows, columns), out -> fill(out, rows * type.rowBytes(columns)));
    }

    private void fill(OutputStream out, long bytes) throws IOException {
        int block = type.blockBytes();
        long left = bytes;
        while (left > 0) {
            int from = random.nextInt(pool.length / block / 2) * block;
            int count = (int) Math.min(left, pool.length - from);
            out.write(pool, from, count);
            left -= count;
        }
    }
}

package io.baton.e2e.errors;

import io.baton.model.files.GgufWriter;
import io.baton.model.files.TensorType;
import io.baton.testing.TinyModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Model files and folders, each wrong in one way, under the names that the table of errors calls them by. */
final class BrokenModels {

    private static final int TENSOR_COUNT_AT = 8; // after magic and version
    private static final int FIRST_KEY_LENGTH_AT = 24; // after the two counts
    private static final long HUGE = 1L << 50;

    private static final String CONFIG = """
            {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "intermediate_size": 12,
             "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64, "rms_norm_eps": 1e-05,
             "vocab_size": 11, "tie_word_embeddings": true}
            """;
    private static final String NORM =
            "\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[0,32]}";

    private final Path folder;

    private BrokenModels(Path folder) {
        this.folder = folder;
    }

    /** Writes all of them. */
    static void writeTo(Path folder) throws IOException {
        BrokenModels models = new BrokenModels(folder);
        models.damagedFiles();
        models.foreignModels();
        models.folders();
        models.overflowing();
    }

    private void damagedFiles() throws IOException {
        byte[] whole = bytes(tensors(keys(new GgufWriter(), "llama")));
        byte[] head = bytes(keys(new GgufWriter(), "llama"));
        file("empty.gguf", new byte[0]);
        file("notes.gguf", "Dear diary".getBytes(StandardCharsets.UTF_8));
        file("cut-in-its-head.gguf", Arrays.copyOf(head, head.length - 3));
        file("cut-in-its-weights.gguf", Arrays.copyOf(whole, whole.length - 1));
        file(
                "big-endian.gguf",
                changed(whole, bytes -> bytes.order(ByteOrder.BIG_ENDIAN).putInt(4, 3)));
        file("version-1.gguf", changed(whole, bytes -> bytes.putInt(4, 1)));
        file("huge-tensor-count.gguf", changed(whole, bytes -> bytes.putLong(TENSOR_COUNT_AT, HUGE)));
        file("huge-key.gguf", changed(whole, bytes -> bytes.putLong(FIRST_KEY_LENGTH_AT, HUGE)));
        byte[] array = bytes(new GgufWriter().integers("a", new int[] {1}));
        file("huge-array.gguf", changed(array, bytes -> bytes.putLong(array.length - 12, HUGE)));
        byte[] tensor = bytes(new GgufWriter().tensor("t", List.of(8L), new float[8]));
        // Name length and name, dimension count, one dimension, type, offset; then padding and 32 bytes of data.
        int dimension = FIRST_KEY_LENGTH_AT + Long.BYTES + 1 + Integer.BYTES;
        file("huge-tensor.gguf", changed(tensor, bytes -> bytes.putLong(dimension, HUGE)));
        file("unknown-tensor-type.gguf", changed(tensor, bytes -> bytes.putInt(dimension + 8, 99)));
        byte[] llama = bytes(keys(new GgufWriter(), "llama").tensor("t", List.of(8L), new float[8]));
        int offset = llama.length - 32 - Math.floorMod(-lengthOfHead(), 32) - Long.BYTES;
        file("tensor-outside.gguf", changed(llama, bytes -> bytes.putLong(offset, 1 << 20)));
        file("no-layers.gguf", bytes(new GgufWriter().text("general.architecture", "llama")));
    }

    /** Bytes of the head of the model with one tensor "t". */
    private static int lengthOfHead() throws IOException {
        int keys = bytes(keys(new GgufWriter(), "llama")).length;
        return keys + Long.BYTES + 1 + Integer.BYTES + Long.BYTES + Integer.BYTES + Long.BYTES;
    }

    private void foreignModels() throws IOException {
        for (String architecture : List.of("bert", "t5", "dream", "mamba")) {
            file(architecture + ".gguf", bytes(tensors(keys(new GgufWriter(), architecture))));
        }
        file("rerope.gguf", bytes(tensors(keys(new GgufWriter(), "llama").text("llama.rope.scaling.type", "rerope"))));
        file(
                "sliding-window.gguf",
                bytes(tensors(keys(new GgufWriter(), "llama").integer("llama.attention.sliding_window", 32))));
        file(
                "iq2_xxs.gguf",
                bytes(tensors(keys(new GgufWriter(), "llama"))
                        .tensor(
                                "output.weight",
                                TensorType.IQ2_XXS,
                                List.of(1L, 256L),
                                new byte[TensorType.IQ2_XXS.blockBytes()])));
        file(
                "biases.gguf",
                bytes(tensors(keys(new GgufWriter(), "llama")).tensor("blk.0.attn_q.bias", List.of(8L), new float[8])));
        file("no-tokenizer.gguf", bytes(tensors(keys(new GgufWriter(), "llama"))));
        file(
                "wrong-shape.gguf",
                bytes(keys(new GgufWriter(), "llama").tensor("token_embd.weight", List.of(11L, 9L), new float[99])));
        float[] values = new float[88];
        values[50] = Float.NaN;
        file("not-a-number.gguf", bytes(tensors(keys(new GgufWriter(), "llama"), values)));
    }

    private void folders() throws IOException {
        Files.createDirectories(folder.resolve("empty-folder"));
        folder("no-weights", CONFIG, null);
        folder("broken-json", CONFIG.replace("\"hidden_size\": 8,", "\"hidden_size\": ,"), null);
        folder("hf-bert", CONFIG.replace("llama", "bert"), null);
        folder("hf-t5", CONFIG.replace("llama", "t5"), null);
        folder("dynamic-ntk", scaled("{\"rope_type\": \"dynamic\", \"factor\": 2.0}"), null);
        folder("longrope", scaled("{\"rope_type\": \"longrope\", \"factor\": 2.0}"), null);
        folder("self-extend", scaled("{\"rope_type\": \"self_extend\"}"), null);
        folder("hf-sliding-window", CONFIG.replace("}", ", \"sliding_window\": 32}"), null);
        folder("gptq", CONFIG.replace("}", ", \"quantization_config\": {\"quant_method\": \"gptq\"}}"), null);
        folder("gelu", CONFIG.replace("}", ", \"hidden_act\": \"gelu\"}"), null);
        folder("header-too-long", CONFIG, safetensors("{" + NORM + "}", 32, HUGE));
        folder("header-not-json", CONFIG, safetensors("{\"model.norm.weight\":", 32, -1));
        folder("truncated-safetensors", CONFIG, safetensors("{" + NORM + "}", 31, -1));
        folder("wrong-size", CONFIG, safetensors("{" + NORM.replace("[8]", "[9]") + "}", 32, -1));
        folder("float8", CONFIG, safetensors("{" + NORM.replace("F32", "F8_E4M3") + "}", 32, -1));
        folder("missing-shard", CONFIG, null);
        Files.writeString(
                folder.resolve("missing-shard").resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"model.norm.weight\": \"model-00001-of-00001.safetensors\"}}");
        folder("shard-elsewhere", CONFIG, null);
        Files.writeString(
                folder.resolve("shard-elsewhere").resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"model.norm.weight\": \"../model.safetensors\"}}");
    }

    /** A sound file whose activations leave the range of f32. */
    private void overflowing() throws IOException {
        Path file = TinyModel.ofContext(64).writeTo(folder.resolve("overflowing.gguf"));
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at + Float.BYTES <= bytes.capacity(); at += Float.BYTES) {
            if (bytes.getFloat(at) == 1f) { // the weights of the norms; nothing else is exactly 1
                bytes.putFloat(at, Float.MAX_VALUE);
            }
        }
        Files.write(file, bytes.array());
    }

    private void file(String name, byte[] content) throws IOException {
        Files.write(folder.resolve(name), content);
    }

    private void folder(String name, String config, byte @Nullable [] weights) throws IOException {
        Path model = Files.createDirectories(folder.resolve(name));
        Files.writeString(model.resolve("config.json"), config);
        if (weights != null) {
            Files.write(model.resolve("model.safetensors"), weights);
        }
    }

    private static String scaled(String scaling) {
        return CONFIG.replace("}", ", \"rope_scaling\": " + scaling + "}");
    }

    /** @param length of the header as the file says it; −1 for the right one */
    private static byte[] safetensors(String header, int dataBytes, long length) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Long.BYTES + json.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length < 0 ? json.length : length)
                .put(json)
                .array();
    }

    private static byte[] changed(byte[] original, Consumer<ByteBuffer> change) {
        byte[] changed = original.clone();
        change.accept(ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN));
        return changed;
    }

    private static byte[] bytes(GgufWriter writer) throws IOException {
        Path file = Files.createTempFile("broken", ".gguf");
        try {
            writer.write(file);
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    private static GgufWriter keys(GgufWriter writer, String architecture) {
        return writer.text("general.architecture", architecture)
                .integer(architecture + ".block_count", 1)
                .integer(architecture + ".embedding_length", 8)
                .integer(architecture + ".feed_forward_length", 12)
                .integer(architecture + ".attention.head_count", 2)
                .integer(architecture + ".attention.head_count_kv", 1)
                .integer(architecture + ".context_length", 64)
                .number(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
    }

    private static GgufWriter tensors(GgufWriter writer) {
        return tensors(writer, new float[88]);
    }

    private static GgufWriter tensors(GgufWriter writer, float[] embedding) {
        return writer.tensor("token_embd.weight", List.of(11L, 8L), embedding)
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

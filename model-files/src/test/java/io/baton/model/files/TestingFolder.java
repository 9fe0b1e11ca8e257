package io.baton.model.files;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** A small Hugging Face model folder, file by file. */
final class TestingFolder {

    static final String CONFIG = """
            {"model_type": "llama", "hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 24,
             "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, "rms_norm_eps": 1e-05,
             "rope_theta": 10000.0, "vocab_size": 9, "tie_word_embeddings": true, "eos_token_id": [2], "bos_token_id": 1}
            """;

    static final String TOKENIZER = """
            {"added_tokens": [
               {"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true},
               {"id": 2, "content": "</s>", "special": true, "rstrip": true}],
             "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
               {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
             "pre_tokenizer": null,
             "post_processor": {"type": "TemplateProcessing",
               "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
               "special_tokens": {"<s>": {"id": "<s>", "ids": [1]}}},
             "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true,
               "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "▁": 3, "a": 4, "b": 5, "ab": 6, "▁ab": 7, "é": 8},
               "merges": ["a b", ["▁", "ab"]]}}
            """;

    private final Path folder;

    TestingFolder(Path folder) {
        this.folder = folder;
    }

    /** The files of a whole model. */
    static TestingFolder whole(Path folder) {
        return new TestingFolder(folder)
                .file("config.json", CONFIG)
                .file("tokenizer.json", TOKENIZER)
                .file("generation_config.json", "{\"eos_token_id\": [2, 8]}")
                .file("model.safetensors", weights(1));
    }

    TestingFolder file(String name, String content) {
        return file(name, content.getBytes(StandardCharsets.UTF_8));
    }

    TestingFolder file(String name, byte[] content) {
        try {
            Files.write(folder.resolve(name), content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    Path path() {
        return folder;
    }

    ModelFile open() {
        return ModelFile.open(folder);
    }

    static byte[] weights(long seed) {
        Random random = new Random(seed);
        return new Safetensors()
                .tensor("model.embed_tokens.weight", "F32", List.of(9, 16), TestingModels.bytes(random, 9 * 16 * 4))
                .tensor("model.norm.weight", "BF16", List.of(16), TestingModels.bytes(random, 16 * 2))
                .tensor(
                        "model.layers.0.self_attn.q_proj.weight",
                        "F16",
                        List.of(16, 16),
                        TestingModels.bytes(random, 512))
                .tensor("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", List.of(2), new byte[8])
                .tensor("lm_head.weight", "F32", List.of(9, 16), TestingModels.bytes(random, 9 * 16 * 4))
                .bytes();
    }

    /** Builds the bytes of a safetensors file. */
    static final class Safetensors {

        private final StringBuilder header = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        private final ByteArrayOutputStream data = new ByteArrayOutputStream();

        Safetensors tensor(String name, String dtype, List<Integer> shape, byte[] content) {
            header.append(",\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(name, dtype, shape, data.size(), data.size() + content.length));
            data.writeBytes(content);
            return this;
        }

        byte[] bytes() {
            byte[] json = (header + "}").getBytes(StandardCharsets.UTF_8);
            return ByteBuffer.allocate(Long.BYTES + json.length + data.size())
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .put(json)
                    .put(data.toByteArray())
                    .array();
        }
    }
}

package io.baton.e2e;

import io.baton.model.files.ModelFile;
import io.baton.model.files.ModelMetadata;
import io.baton.model.files.RopePairs;
import io.baton.model.files.Tensor;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a GGUF file of the Llama family as the Hugging Face folder it could have been converted from: other names,
 * pairs of query and key rows half a head apart, two shards.
 */
final class HuggingFaceCopy {

    private static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("token_embd", "model.embed_tokens"),
            Map.entry("output_norm", "model.norm"),
            Map.entry("output", "lm_head"),
            Map.entry("attn_norm", "input_layernorm"),
            Map.entry("attn_q", "self_attn.q_proj"),
            Map.entry("attn_k", "self_attn.k_proj"),
            Map.entry("attn_v", "self_attn.v_proj"),
            Map.entry("attn_output", "self_attn.o_proj"),
            Map.entry("ffn_norm", "post_attention_layernorm"),
            Map.entry("ffn_gate", "mlp.gate_proj"),
            Map.entry("ffn_up", "mlp.up_proj"),
            Map.entry("ffn_down", "mlp.down_proj"));

    private final ModelFile gguf;
    private final Path folder;

    private HuggingFaceCopy(ModelFile gguf, Path folder) {
        this.gguf = gguf;
        this.folder = folder;
    }

    /**
     * Writes the folder.
     *
     * @param rope further fields of {@code config.json}, which say how positions enter
     */
    static Path of(Path gguf, Path folder, String rope) throws IOException {
        Files.createDirectories(folder);
        try (ModelFile file = ModelFile.open(gguf)) {
            HuggingFaceCopy copy = new HuggingFaceCopy(file, folder);
            copy.writeConfig(rope);
            copy.writeWeights();
            copy.writeTokenizer();
        }
        return folder;
    }

    private void writeConfig(String rope) throws IOException {
        ModelMetadata model = gguf.metadata();
        Files.writeString(folder.resolve("config.json"), """
                {"model_type": "llama", "hidden_size": %d, "num_hidden_layers": %d, "intermediate_size": %d,
                 "num_attention_heads": %d, "num_key_value_heads": %d, "max_position_embeddings": %d,
                 "rms_norm_eps": %s, "vocab_size": %d, "tie_word_embeddings": %s, "bos_token_id": 1,
                 "eos_token_id": 2, %s}
                """.formatted(
                        model.dim(),
                        model.layers(),
                        model.hiddenDim(),
                        model.heads(),
                        model.kvHeads(),
                        model.contextLength(),
                        model.normEpsilon(),
                        model.vocabularySize(),
                        model.tiedOutput(),
                        rope));
    }

    private void writeWeights() throws IOException {
        List<Tensor> tensors = gguf.tensors().stream()
                .filter(tensor -> !tensor.name().equals("rope_freqs.weight"))
                .toList();
        List<List<Tensor>> shards =
                List.of(tensors.subList(0, tensors.size() / 2), tensors.subList(tensors.size() / 2, tensors.size()));
        ObjectNode index = JsonMapper.shared().createObjectNode();
        ObjectNode places = index.putObject("weight_map");
        for (int i = 0; i < shards.size(); i++) {
            String shard = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            shards.get(i).forEach(tensor -> places.put(name(tensor.name()), shard));
            Files.write(folder.resolve(shard), safetensors(shards.get(i)));
        }
        Files.writeString(folder.resolve("model.safetensors.index.json"), index.toString());
    }

    private static String name(String ggufName) {
        String[] parts = ggufName.split("\\.", -1);
        return parts[0].equals("blk")
                ? "model.layers.%s.%s.%s".formatted(parts[1], NAMES.get(parts[2]), parts[3])
                : NAMES.get(parts[0]) + "." + parts[1];
    }

    private byte[] safetensors(List<Tensor> tensors) {
        ObjectNode header = JsonMapper.shared().createObjectNode();
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (Tensor tensor : tensors) {
            ObjectNode entry = header.putObject(name(tensor.name()));
            entry.put("dtype", tensor.type().name());
            ArrayNode shape = entry.putArray("shape");
            tensor.shape().forEach(shape::add);
            ArrayNode offsets = entry.putArray("data_offsets").add(data.size());
            for (long row = 0; row < tensor.rows(); row++) {
                data.writeBytes(tensor.row(source(tensor, row)).toArray(ValueLayout.JAVA_BYTE));
            }
            offsets.add(data.size());
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Long.BYTES + json.length + data.size())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .put(data.toByteArray())
                .array();
    }

    /** Which row of the GGUF file stands at {@code row} here. */
    private long source(Tensor tensor, long row) {
        boolean rotated =
                tensor.name().endsWith("attn_q.weight") || tensor.name().endsWith("attn_k.weight");
        if (!rotated || gguf.metadata().rope().pairs() == RopePairs.HALVES) {
            return row;
        }
        int half = gguf.metadata().headDim() / 2;
        long inHead = row % (2L * half);
        return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    }

    /** SentencePiece-like BPE in which no merge makes any token, as {@link io.baton.e2e.fault.TinyModel} has it. */
    private void writeTokenizer() throws IOException {
        VocabularyFile vocabulary = gguf.vocabulary();
        ObjectNode vocab = JsonMapper.shared().createObjectNode();
        List<String> added = new ArrayList<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            TokenKind kind = vocabulary.kinds().get(id);
            vocab.put(vocabulary.tokens().get(id), id);
            if (kind == TokenKind.CONTROL || kind == TokenKind.UNKNOWN) {
                added.add("{\"id\": %d, \"content\": \"%s\", \"special\": true}"
                        .formatted(id, vocabulary.tokens().get(id)));
            }
        }
        Files.writeString(folder.resolve("tokenizer.json"), """
                {"added_tokens": [%s],
                 "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                   {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
                 "pre_tokenizer": null,
                 "post_processor": {"type": "TemplateProcessing",
                   "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
                   "special_tokens": {"<s>": {"id": "<s>", "ids": [1]}}},
                 "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true, "vocab": %s, "merges": []}}
                """.formatted(
                        added.stream().collect(Collectors.joining(", ")), vocab));
    }
}

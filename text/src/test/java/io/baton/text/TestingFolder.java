package io.baton.text;

import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import io.baton.model.files.VocabularyFile.Merge;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes a vocabulary as Hugging Face would: a {@code tokenizer.json} in a folder that opens as a model. */
final class TestingFolder {

    private static final JsonMapper MAPPER = new JsonMapper();
    private static final String LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private TestingFolder() {}

    /** The folder's {@code tokenizer.json}. */
    static Path write(Path folder, VocabularyFile vocabulary) {
        return write(folder, MAPPER.writeValueAsString(tokenizer(vocabulary)));
    }

    static Path write(Path folder, String tokenizer) {
        try {
            byte[] header = "{\"model.norm.weight\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
                    .getBytes(StandardCharsets.UTF_8);
            Files.write(
                    folder.resolve("model.safetensors"),
                    ByteBuffer.allocate(Long.BYTES + header.length + Float.BYTES)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(header.length)
                            .put(header)
                            .array());
            Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
            return Files.writeString(folder.resolve("tokenizer.json"), tokenizer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ObjectNode tokenizer(VocabularyFile vocabulary) {
        boolean scored = vocabulary.model().equals("llama");
        ObjectNode root = MAPPER.createObjectNode();
        root.put("version", "1.0");
        ArrayNode added = root.putArray("added_tokens");
        ObjectNode model = MAPPER.createObjectNode();
        model.put("type", "BPE");
        if (scored) {
            model.put("unk_token", "<unk>").put("byte_fallback", true).put("fuse_unk", true);
        }
        model.put("ignore_merges", vocabulary.ignoreMerges());
        ObjectNode vocab = model.putObject("vocab");
        for (int id = 0; id < vocabulary.size(); id++) {
            String text = vocabulary.tokens().get(id);
            TokenKind kind = vocabulary.kinds().get(id);
            if (text.equals("[PAD" + id + "]")) {
                continue;
            }
            boolean special = kind == TokenKind.CONTROL || kind == TokenKind.UNKNOWN;
            if (special || kind == TokenKind.USER_DEFINED) {
                added.addObject()
                        .put("id", id)
                        .put("content", text)
                        .put("single_word", vocabulary.rules().wholeWords().contains(id))
                        .put("lstrip", vocabulary.rules().absorbsBefore().contains(id))
                        .put("rstrip", vocabulary.rules().absorbsAfter().contains(id))
                        .put("normalized", vocabulary.rules().foundNormalized().contains(id))
                        .put("special", special);
            }
            if (scored || kind == TokenKind.NORMAL) {
                vocab.put(text, id);
            }
        }
        ArrayNode merges = model.putArray("merges");
        for (Merge merge : scored ? expanded(vocabulary) : vocabulary.merges()) {
            merges.addArray().add(merge.left()).add(merge.right());
        }
        root.set("normalizer", MAPPER.readTree(normalizer(vocabulary)));
        root.set("pre_tokenizer", preTokenizer(vocabulary));
        root.putNull("post_processor");
        root.set("model", model);
        return root;
    }

    private static String normalizer(VocabularyFile vocabulary) {
        if (vocabulary.model().equals("llama")) {
            return """
                    {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}""";
        }
        return vocabulary.rules().compose() ? "{\"type\": \"NFC\"}" : "null";
    }

    private static JsonNode preTokenizer(VocabularyFile vocabulary) {
        if (vocabulary.model().equals("llama")) {
            return MAPPER.nullNode();
        }
        ObjectNode bytes = MAPPER.createObjectNode()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true);
        String name = vocabulary.preTokenizer();
        if (name.equals("gpt-2")) {
            return bytes.put("use_regex", true);
        }
        ObjectNode sequence = MAPPER.createObjectNode().put("type", "Sequence");
        ArrayNode steps = sequence.putArray("pretokenizers");
        if (name.equals("smollm")) {
            steps.addObject().put("type", "Digits").put("individual_digits", true);
            steps.add(bytes.put("use_regex", true));
            return sequence;
        }
        ObjectNode split = steps.addObject().put("type", "Split");
        split.putObject("pattern").put("Regex", name.equals("qwen2") ? LLAMA3.replace("{1,3}", "") : LLAMA3);
        split.put("behavior", "Isolated").put("invert", false);
        steps.add(bytes.put("use_regex", false));
        return sequence;
    }

    /** All splits of each token into two tokens, by falling score, as converters from SentencePiece write them. */
    private static List<Merge> expanded(VocabularyFile vocabulary) {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.kinds().get(id) == TokenKind.NORMAL) {
                ids.put(vocabulary.tokens().get(id), id);
            }
        }
        float[] scores = vocabulary.scores();
        List<Merge> merges = new ArrayList<>();
        ids.entrySet().stream()
                .sorted(Comparator.comparingDouble(entry -> -scores[entry.getValue()]))
                .map(Map.Entry::getKey)
                .forEach(text -> {
                    for (int cut = 1; cut < text.length(); cut++) {
                        if (ids.containsKey(text.substring(0, cut)) && ids.containsKey(text.substring(cut))) {
                            merges.add(new Merge(text.substring(0, cut), text.substring(cut)));
                        }
                    }
                });
        return merges;
    }
}

package io.baton.model.files;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * What a {@code tokenizer.json} does to a text before merging, recognised from its normalizers and pre-tokenizers. Only
 * whole combinations that a tokenizer here can run are accepted; anything else is refused by name, because a tokenizer
 * that is nearly right makes a model that is quietly wrong.
 *
 * @param byteLevel byte-level BPE; otherwise SentencePiece's
 * @param preTokenizer GGUF's name for the word rule of byte-level BPE
 */
record HuggingFacePipeline(
        boolean byteLevel, String preTokenizer, boolean compose, boolean spacePrefix, boolean prefixOnce) {

    private static final String SPACE = "\u2581";

    private static final String GPT2_WORDS =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA3_WORDS =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String DIGITS = "single digits";

    /** GGUF's name for each sequence of cuts. */
    private static final Map<List<String>, String> NAMES = Map.of(
            List.of(GPT2_WORDS), "gpt-2",
            List.of(LLAMA3_WORDS), "llama-bpe",
            List.of(LLAMA3_WORDS.replace("{1,3}", "")), "qwen2",
            List.of(DIGITS, GPT2_WORDS), "smollm");

    static HuggingFacePipeline of(JsonFields tokenizer) {
        return new Recogniser(tokenizer).recognise();
    }

    /** The members of a sequence, or the one there is, or none. */
    static List<JsonFields> flattened(JsonFields owner, String field, String members) {
        Optional<JsonFields> found = owner.object(field);
        if (found.isEmpty()) {
            return List.of();
        }
        return found.get().requireText("type").equals("Sequence") ? found.get().objects(members) : List.of(found.get());
    }

    private static final class Recogniser {

        private final JsonFields tokenizer;
        private final List<String> cuts = new ArrayList<>();
        private boolean byteLevel;
        private boolean compose;
        private boolean spacesMarked;
        private boolean spacePrefix;
        private boolean prefixOnce;

        Recogniser(JsonFields tokenizer) {
            this.tokenizer = tokenizer;
        }

        HuggingFacePipeline recognise() {
            flattened(tokenizer, "normalizer", "normalizers").forEach(this::normalizer);
            flattened(tokenizer, "pre_tokenizer", "pretokenizers").forEach(this::preTokenizer);
            if (!byteLevel) {
                if (!spacesMarked || !cuts.isEmpty()) {
                    throw tokenizer.wrong(
                            "pre_tokenizer",
                            cuts.isEmpty() ? "neither ByteLevel nor spaces replaced by " + SPACE : cuts,
                            "ByteLevel, or a Replace normalizer or Metaspace that marks spaces");
                }
                return new HuggingFacePipeline(false, "default", compose, spacePrefix, prefixOnce);
            }
            String name = NAMES.get(cuts);
            if (name == null || spacesMarked || spacePrefix) {
                throw tokenizer.wrong(
                        "pre_tokenizer",
                        cuts,
                        "the splitting of one of "
                                + NAMES.values().stream().sorted().toList());
            }
            return new HuggingFacePipeline(true, name, compose, false, false);
        }

        private void normalizer(JsonFields normalizer) {
            String type = normalizer.requireText("type");
            switch (type) {
                case "NFC" -> compose = true;
                case "Prepend" -> {
                    expect(normalizer, "prepend", SPACE);
                    spacePrefix = true;
                }
                case "Replace" -> {
                    expectPattern(normalizer, "String", " ");
                    expect(normalizer, "content", SPACE);
                    spacesMarked = true;
                }
                default -> throw normalizer.wrong("type", type, "NFC, Prepend or Replace");
            }
        }

        private void preTokenizer(JsonFields step) {
            String type = step.requireText("type");
            switch (type) {
                case "ByteLevel" -> {
                    byteLevel = true;
                    if (step.flag("add_prefix_space").orElse(true)) {
                        throw step.wrong("add_prefix_space", true, "false");
                    }
                    if (step.flag("use_regex").orElse(true)) {
                        cuts.add(GPT2_WORDS);
                    }
                }
                case "Split" -> split(step);
                case "Digits" -> {
                    if (!step.flag("individual_digits").orElse(false)) {
                        throw step.wrong("individual_digits", false, "true");
                    }
                    cuts.add(DIGITS);
                }
                case "Metaspace" -> metaspace(step);
                default -> throw step.wrong("type", type, "ByteLevel, Split, Digits or Metaspace");
            }
        }

        private void split(JsonFields step) {
            if (spacesMarked) {
                expectPattern(step, "String", " "); // no space is left to split at
                return;
            }
            expect(step, "behavior", "Isolated");
            if (step.flag("invert").orElse(false)) {
                throw step.wrong("invert", true, "false");
            }
            JsonFields pattern = step.object("pattern").orElseThrow(() -> step.wrong("pattern", "nothing", "a Regex"));
            cuts.add(pattern.requireText("Regex"));
        }

        private void metaspace(JsonFields step) {
            expect(step, "replacement", SPACE);
            if (step.flag("split").orElse(true)) {
                throw step.wrong("split", true, "false");
            }
            String scheme = step.text("prepend_scheme").orElse("always");
            switch (scheme) {
                case "never" -> {}
                case "first" -> {
                    spacePrefix = true;
                    prefixOnce = true;
                }
                default -> throw step.wrong("prepend_scheme", scheme, "never or first");
            }
            spacesMarked = true;
        }

        private static void expect(JsonFields step, String field, String expected) {
            String found = step.requireText(field);
            if (!found.equals(expected)) {
                throw step.wrong(field, '"' + found + '"', '"' + expected + '"');
            }
        }

        private static void expectPattern(JsonFields step, String kind, String expected) {
            JsonNode pattern = step.any("pattern").orElseThrow(() -> step.wrong("pattern", "nothing", kind));
            JsonNode text = pattern.get(kind);
            if (text == null || !text.isString() || !text.asString().equals(expected)) {
                throw step.wrong("pattern", JsonFields.describe(pattern), "%s \"%s\"".formatted(kind, expected));
            }
        }
    }
}

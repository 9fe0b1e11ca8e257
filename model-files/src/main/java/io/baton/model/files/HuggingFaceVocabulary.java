package io.baton.model.files;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/**
 * Reads {@code tokenizer.json} and what stands beside it ({@code tokenizer_config.json},
 * {@code generation_config.json}, {@code chat_template.jinja}) into the same vocabulary as a GGUF file has. Used by one
 * thread.
 */
final class HuggingFaceVocabulary {

    private static final int MAX_TOKENIZER = 64 << 20; // the largest published have about 35 MB
    private static final int MAX_CONFIG = 16 << 20;
    private static final int MAX_HOLES = 1024;
    private static final Pattern BYTE = Pattern.compile("<0x[0-9A-Fa-f]{2}>");

    private final Path folder;
    private final JsonFields tokenizer;
    private final JsonFields model;
    private final HuggingFacePipeline pipeline;
    private final List<String> tokens = new ArrayList<>();
    private final List<TokenKind> kinds = new ArrayList<>();
    private final Set<Integer> absorbsBefore = new HashSet<>();
    private final Set<Integer> absorbsAfter = new HashSet<>();
    private final Set<Integer> wholeWords = new HashSet<>();
    private final Set<Integer> foundNormalized = new HashSet<>();

    private HuggingFaceVocabulary(Path folder, JsonFields tokenizer, JsonFields model) {
        this.folder = folder;
        this.tokenizer = tokenizer;
        this.model = model;
        this.pipeline = HuggingFacePipeline.of(tokenizer);
    }

    /** The vocabulary of a folder; empty when it has no {@code tokenizer.json}. */
    static Optional<VocabularyFile> read(Path folder, JsonFields config) {
        Path file = folder.resolve("tokenizer.json");
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        JsonFields tokenizer = JsonFields.read(file, MAX_TOKENIZER);
        JsonFields model =
                tokenizer.object("model").orElseThrow(() -> tokenizer.wrong("model", "nothing", "a BPE model"));
        String type = model.text("type").orElse("BPE");
        if (!type.equals("BPE")) {
            throw model.wrong("type", type, "BPE");
        }
        return Optional.of(new HuggingFaceVocabulary(folder, tokenizer, model).read(config));
    }

    private VocabularyFile read(JsonFields config) {
        for (String field : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
            model.text(field).filter(text -> !text.isEmpty()).ifPresent(text -> {
                throw model.wrong(field, '"' + text + '"', "nothing");
            });
        }
        readTokens();
        List<VocabularyFile.Merge> merges = merges();
        Optional<float[]> scores =
                pipeline.byteLevel() ? Optional.empty() : SentencePieceScores.of(tokens, kinds, merges);
        Optional<JsonFields> settings = companion("tokenizer_config.json");
        HuggingFaceEnds ends = HuggingFaceEnds.of(tokenizer, tokens);
        OptionalInt bos = ends.bos().isPresent() ? ends.bos() : named(settings, "bos_token", config, "bos_token_id");
        OptionalInt eos = ends.eos().isPresent() ? ends.eos() : named(settings, "eos_token", config, "eos_token_id");
        boolean asksForBos = !ends.templated()
                && settings.flatMap(found -> found.flag("add_bos_token")).orElse(false);
        return new VocabularyFile(
                pipeline.byteLevel() ? "gpt2" : "llama",
                pipeline.preTokenizer(),
                tokens,
                scores.orElse(new float[0]),
                kinds,
                scores.isPresent() ? List.of() : merges,
                new SpecialTokens(
                        bos, eos, unknown(), named(settings, "pad_token", config, "pad_token_id"), ends(config, eos)),
                ends.bos().isPresent() || (asksForBos && bos.isPresent()),
                ends.eos().isPresent(),
                pipeline.spacePrefix(),
                model.flag("ignore_merges").orElse(false),
                chatTemplate(settings),
                new TextRules(
                        pipeline.compose(),
                        pipeline.prefixOnce(),
                        absorbsBefore,
                        absorbsAfter,
                        wholeWords,
                        foundNormalized));
    }

    private void readTokens() {
        JsonFields vocab =
                model.object("vocab").orElseThrow(() -> model.wrong("vocab", "nothing", "an id for each token"));
        List<JsonFields> added = tokenizer.objects("added_tokens");
        long most = 2L * (vocab.size() + added.size()) + MAX_HOLES;
        boolean byteFallback = model.flag("byte_fallback").orElse(false);
        for (String text : vocab.names()) {
            boolean isByte = byteFallback && BYTE.matcher(text).matches();
            place(id(vocab, text, most), text, isByte ? TokenKind.BYTE : TokenKind.NORMAL);
        }
        Optional<String> unknown = model.text("unk_token");
        for (JsonFields token : added) {
            String text = token.requireText("content");
            int id = id(token, "id", most);
            boolean special = token.flag("special").orElse(false);
            place(id, text, special ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
            if (token.flag("lstrip").orElse(false)) {
                absorbsBefore.add(id);
            }
            if (token.flag("rstrip").orElse(false)) {
                absorbsAfter.add(id);
            }
            if (token.flag("single_word").orElse(false)) {
                wholeWords.add(id);
            }
            if (token.flag("normalized").orElse(!special)) {
                foundNormalized.add(id);
            }
        }
        unknown.ifPresent(text -> {
            int id = tokens.indexOf(text);
            if (id >= 0) {
                kinds.set(id, TokenKind.UNKNOWN);
            }
        });
        for (int id = 0; id < tokens.size(); id++) {
            if (kinds.get(id) == TokenKind.UNUSED) {
                tokens.set(id, "[PAD" + id + "]");
            }
        }
    }

    private static int id(JsonFields fields, String name, long most) {
        long id = fields.requireInteger(name);
        if (id < 0 || id >= most) {
            throw fields.wrong(name, id, "an id below " + most);
        }
        return (int) id;
    }

    private void place(int id, String text, TokenKind kind) {
        if (text.length() > VocabularyFile.MAX_TOKEN_LENGTH) {
            throw model.wrong(
                    "vocab",
                    "%d characters for token %d".formatted(text.length(), id),
                    "at most " + VocabularyFile.MAX_TOKEN_LENGTH);
        }
        while (tokens.size() <= id) {
            tokens.add("");
            kinds.add(TokenKind.UNUSED);
        }
        if (kinds.get(id) != TokenKind.UNUSED && !tokens.get(id).equals(text)) {
            throw model.wrong(
                    "vocab", "id %d for \"%s\" and \"%s\"".formatted(id, tokens.get(id), text), "each id once");
        }
        tokens.set(id, text);
        kinds.set(id, kind);
    }

    private List<VocabularyFile.Merge> merges() {
        List<VocabularyFile.Merge> merges = new ArrayList<>();
        for (JsonNode merge : model.array("merges")) {
            merges.add(merge(merge));
        }
        return merges;
    }

    /** Either {@code "left right"} or {@code ["left", "right"]}. */
    private VocabularyFile.Merge merge(JsonNode merge) {
        if (merge.isString()) {
            String text = merge.asString();
            int space = text.indexOf(' ', 1);
            if (space > 0 && space < text.length() - 1) {
                return new VocabularyFile.Merge(text.substring(0, space), text.substring(space + 1));
            }
        } else if (merge.isArray()
                && merge.size() == 2
                && merge.get(0).isString()
                && merge.get(1).isString()) {
            return new VocabularyFile.Merge(
                    merge.get(0).asString(), merge.get(1).asString());
        }
        throw model.wrong("merges", JsonFields.describe(merge), "two texts");
    }

    private OptionalInt unknown() {
        int id = kinds.indexOf(TokenKind.UNKNOWN);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    private OptionalInt named(Optional<JsonFields> settings, String token, JsonFields config, String idField) {
        Optional<String> text = settings.flatMap(found -> found.any(token)).flatMap(HuggingFaceVocabulary::content);
        if (text.isPresent() && tokens.contains(text.get())) {
            return OptionalInt.of(tokens.indexOf(text.get()));
        }
        return ids(config, idField).stream().mapToInt(id -> id).findFirst();
    }

    /** A token is written as its text or as an object that has it. */
    private static Optional<String> content(JsonNode token) {
        JsonNode text = token.isObject() ? token.get("content") : token;
        return text != null && text.isString() ? Optional.of(text.asString()) : Optional.empty();
    }

    private Set<Integer> ends(JsonFields config, OptionalInt eos) {
        Set<Integer> ends = new HashSet<>(ids(config, "eos_token_id"));
        companion("generation_config.json").ifPresent(found -> ends.addAll(ids(found, "eos_token_id")));
        eos.ifPresent(ends::add);
        return ends;
    }

    /** One id or a list of them; those beyond the vocabulary are another tokenizer's. */
    private List<Integer> ids(JsonFields fields, String name) {
        Optional<JsonNode> found = fields.any(name);
        if (found.isEmpty()) {
            return List.of();
        }
        List<Integer> ids = new ArrayList<>();
        for (JsonNode node : found.get().isArray() ? found.get().values() : List.of(found.get())) {
            if (!node.isIntegralNumber() || !node.canConvertToInt()) {
                throw fields.wrong(name, JsonFields.describe(node), "a token id");
            }
            if (node.asInt() >= 0 && node.asInt() < tokens.size()) {
                ids.add(node.asInt());
            }
        }
        return ids;
    }

    private Optional<String> chatTemplate(Optional<JsonFields> settings) {
        Path file = folder.resolve("chat_template.jinja");
        if (Files.isRegularFile(file)) {
            return Optional.of(BoundedText.read(file, MAX_CONFIG));
        }
        Optional<JsonNode> written = settings.flatMap(found -> found.any("chat_template"));
        if (written.isPresent() && written.get().isArray()) {
            for (JsonFields named : settings.orElseThrow().objects("chat_template")) {
                if (named.requireText("name").equals("default")) {
                    return Optional.of(named.requireText("template"));
                }
            }
            return Optional.empty();
        }
        return settings.flatMap(found -> found.text("chat_template"));
    }

    private Optional<JsonFields> companion(String name) {
        Path file = folder.resolve(name);
        return Files.isRegularFile(file) ? Optional.of(JsonFields.read(file, MAX_CONFIG)) : Optional.empty();
    }
}

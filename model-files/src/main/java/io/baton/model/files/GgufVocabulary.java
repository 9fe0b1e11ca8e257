package io.baton.model.files;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Finds the vocabulary among a GGUF file's keys. */
final class GgufVocabulary {

    private static final String MODEL = "tokenizer.ggml.model";
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String SCORES = "tokenizer.ggml.scores";
    private static final String KINDS = "tokenizer.ggml.token_type";
    private static final String MERGES = "tokenizer.ggml.merges";

    /** Pre-tokenizer names of the Llama 3 family, which start prompts with bos and take whole words unmerged. */
    private static final Set<String> LLAMA3 =
            Set.of("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2");

    private final ModelKeys keys;

    private GgufVocabulary(ModelKeys keys) {
        this.keys = keys;
    }

    static Optional<VocabularyFile> read(ModelKeys keys) {
        return keys.text(MODEL)
                .filter(model -> !model.equals("none") && !model.equals("no_vocab"))
                .map(model -> new GgufVocabulary(keys).read(model));
    }

    private VocabularyFile read(String model) {
        KeyArray tokenArray = keys.array(TOKENS).orElseThrow(() -> keys.missing(TOKENS, "the vocabulary's texts"));
        List<String> tokens = texts(TOKENS, tokenArray);
        if (tokens.isEmpty()) {
            throw keys.wrong(TOKENS, tokenArray, "at least one token");
        }
        for (int id = 0; id < tokens.size(); id++) {
            int length = tokens.get(id).length();
            if (length > VocabularyFile.MAX_TOKEN_LENGTH) {
                throw keys.wrong(
                        TOKENS,
                        "%d characters for token %d".formatted(length, id),
                        "at most " + VocabularyFile.MAX_TOKEN_LENGTH);
            }
        }
        String preTokenizer = keys.text("tokenizer.ggml.pre").orElse("");
        boolean scored = model.equals("llama");
        boolean llama3 = LLAMA3.contains(preTokenizer);
        return new VocabularyFile(
                model,
                preTokenizer,
                tokens,
                scores(tokens.size()),
                kinds(tokens.size()),
                merges(),
                special(tokens.size()),
                keys.flag("tokenizer.ggml.add_bos_token").orElse(scored || llama3),
                keys.flag("tokenizer.ggml.add_eos_token").orElse(false),
                keys.flag("tokenizer.ggml.add_space_prefix").orElse(scored),
                llama3,
                keys.text("tokenizer.chat_template"),
                // GGUF has no key for it, but Qwen's own tokenizers compose.
                new TextRules(preTokenizer.equals("qwen2"), false, Set.of(), Set.of()));
    }

    private float[] scores(int size) {
        Optional<KeyArray> array = keys.array(SCORES);
        if (array.isEmpty()) {
            return new float[0];
        }
        float[] scores = numeric(SCORES, array.get(), size).floats();
        for (float score : scores) {
            if (Float.isNaN(score)) {
                throw keys.wrong(SCORES, "a score that is not a number", "numbers");
            }
        }
        return scores;
    }

    private List<TokenKind> kinds(int size) {
        return keys.array(KINDS)
                .map(array -> Arrays.stream(numeric(KINDS, array, size).ints())
                        .mapToObj(TokenKind::ofGgufId)
                        .toList())
                .orElseGet(() -> Collections.nCopies(size, TokenKind.NORMAL));
    }

    private List<VocabularyFile.Merge> merges() {
        Optional<KeyArray> array = keys.array(MERGES);
        if (array.isEmpty()) {
            return List.of();
        }
        List<String> texts = texts(MERGES, array.get());
        List<VocabularyFile.Merge> merges = new ArrayList<>(texts.size());
        for (int rank = 0; rank < texts.size(); rank++) {
            String merge = texts.get(rank);
            int space = merge.indexOf(' ', 1);
            if (space < 0 || space == merge.length() - 1) {
                throw keys.wrong(MERGES + "[" + rank + "]", '"' + merge + '"', "two texts with a space between");
            }
            merges.add(new VocabularyFile.Merge(merge.substring(0, space), merge.substring(space + 1)));
        }
        return merges;
    }

    private SpecialTokens special(int size) {
        Set<Integer> ends = new LinkedHashSet<>();
        for (String name : List.of("eos", "eot", "eom")) {
            id(name, size).ifPresent(ends::add);
        }
        return new SpecialTokens(id("bos", size), id("eos", size), id("unknown", size), id("padding", size), ends);
    }

    private OptionalInt id(String name, int size) {
        var value = keys.integer("tokenizer.ggml." + name + "_token_id");
        if (value.isEmpty() || value.getAsLong() == 0xFFFF_FFFFL) { // converters write −1 for "none"
            return OptionalInt.empty();
        }
        if (value.getAsLong() < 0 || value.getAsLong() >= size) {
            throw keys.wrong("tokenizer.ggml." + name + "_token_id", value.getAsLong(), "an id below " + size);
        }
        return OptionalInt.of((int) value.getAsLong());
    }

    private List<String> texts(String key, KeyArray array) {
        if (array.elements() != GgufValueType.STRING) {
            throw keys.wrong(key, array, "an array of texts");
        }
        return array.texts();
    }

    private KeyArray numeric(String key, KeyArray array, int size) {
        if (!array.numeric() || array.length() != size) {
            throw keys.wrong(key, array, "%d numbers, one for each token".formatted(size));
        }
        return array;
    }
}

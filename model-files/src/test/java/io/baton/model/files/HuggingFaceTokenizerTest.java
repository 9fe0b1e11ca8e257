package io.baton.model.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HuggingFaceTokenizerTest {

    private static final String BARE_BYTES =
            "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": false}";
    private static final String GPT2_BYTES = "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}";
    private static final String LLAMA3 =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*"
                    + "|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+";

    @TempDir
    Path folder;

    @Test
    void byteLevelVocabulariesNameTheirWordRule() {
        assertThat(byteLevel("null", GPT2_BYTES).preTokenizer()).isEqualTo("gpt-2");
        assertThat(byteLevel("null", sequence(split(LLAMA3), BARE_BYTES)).preTokenizer())
                .isEqualTo("llama-bpe");
        VocabularyFile qwen =
                byteLevel("{\"type\": \"NFC\"}", sequence(split(LLAMA3.replace("{1,3}", "")), BARE_BYTES));
        assertThat(qwen.preTokenizer()).isEqualTo("qwen2");
        assertThat(qwen.rules().compose()).isTrue();
        assertThat(byteLevel("null", sequence("{\"type\": \"Digits\", \"individual_digits\": true}", GPT2_BYTES))
                        .preTokenizer())
                .isEqualTo("smollm");
    }

    @Test
    void addedTokensAreControlOrUserDefinedAndHolesAreUnused() {
        VocabularyFile vocabulary = byteLevel("null", GPT2_BYTES);
        assertThat(vocabulary.model()).isEqualTo("gpt2");
        assertThat(vocabulary.tokens()).containsExactly("a", "b", "ab", "c", "<|end|>", "[PAD5]", "<tool>");
        assertThat(vocabulary.kinds())
                .endsWith(TokenKind.NORMAL, TokenKind.CONTROL, TokenKind.UNUSED, TokenKind.USER_DEFINED);
        assertThat(vocabulary.merges()).containsExactly(new VocabularyFile.Merge("a", "b"));
        assertThat(vocabulary.ignoreMerges()).isTrue();
        assertThat(vocabulary.addBos()).isFalse();
    }

    @Test
    void theFlagsOfAddedTokensAreKept() {
        TextRules composed =
                read("""
                {"added_tokens": [{"id": 1, "content": "<l>", "lstrip": true, "special": true, "normalized": false},
                                  {"id": 2, "content": "<r>", "rstrip": true, "normalized": false},
                                  {"id": 3, "content": "<w>", "single_word": true, "special": true},
                                  {"id": 4, "content": "<n>", "normalized": true, "special": true},
                                  {"id": 5, "content": "<d>"}],
                 "normalizer": %s, "pre_tokenizer": %s,
                 "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}
                """.formatted("{\"type\": \"NFC\"}", GPT2_BYTES)).rules();
        assertThat(composed.absorbsBefore()).containsExactly(1);
        assertThat(composed.absorbsAfter()).containsExactly(2);
        assertThat(composed.wholeWords()).containsExactly(3);
        assertThat(composed.foundNormalized())
                .as("a token that is not special is normalized unless it says otherwise")
                .containsExactlyInAnyOrder(4, 5);
    }

    @Test
    void aPipelineWeDoNotKnowIsRefusedWithItsPattern() {
        assertThatThrownBy(() -> byteLevel("null", sequence(split("\\\\w+"), BARE_BYTES)))
                .isInstanceOf(ModelFileException.class)
                .hasMessageContaining("[\\w+]")
                .hasMessageContaining("llama-bpe");
        assertThatThrownBy(() -> byteLevel("{\"type\": \"Lowercase\"}", GPT2_BYTES))
                .hasMessageContaining("Lowercase");
        assertThatThrownBy(() -> byteLevel("null", "{\"type\": \"Whitespace\"}"))
                .hasMessageContaining("Whitespace");
        assertThatThrownBy(() -> byteLevel("null", "{\"type\": \"Metaspace\", \"replacement\": \"▁\"}"))
                .hasMessageContaining("split: found true");
        assertThatThrownBy(() -> read(TestingFolder.TOKENIZER.replace("\"BPE\"", "\"Unigram\"")))
                .hasMessageContaining("model.type: found Unigram, expected BPE");
    }

    @Test
    void metaspaceAtTheFirstTextOnlyIsKept() {
        VocabularyFile vocabulary = read(TestingFolder.TOKENIZER
                .replaceFirst("\"normalizer\": \\{.*\n.*\\]\\}", "\"normalizer\": null")
                .replace(
                        "\"pre_tokenizer\": null",
                        "\"pre_tokenizer\": {\"type\": \"Metaspace\", \"replacement\": \"▁\", \"prepend_scheme\": \"first\","
                                + " \"split\": false}"));
        assertThat(vocabulary.addSpacePrefix()).isTrue();
        assertThat(vocabulary.rules().prefixOnce()).isTrue();
    }

    @Test
    void mergesThatAreNotTheExpansionOfScoresStayMerges() {
        assertThat(read(TestingFolder.TOKENIZER).merges()).isEmpty();
        // "▁ab" also splits into "▁a" and "b" once "▁a" is a token, and the list does not say so.
        VocabularyFile incomplete = read(TestingFolder.TOKENIZER.replace("\"é\": 8", "\"▁a\": 8"));
        assertThat(incomplete.scores()).isEmpty();
        assertThat(incomplete.merges()).hasSize(2);
    }

    @Test
    void chatTemplatesAreFoundWhereverTheyAreKept() {
        TestingFolder whole = TestingFolder.whole(folder);
        assertThat(template(whole)).isNull();
        whole.file("tokenizer_config.json", "{\"chat_template\": \"one\"}");
        assertThat(template(whole)).isEqualTo("one");
        whole.file(
                "tokenizer_config.json",
                "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"r\"}, {\"name\": \"default\", \"template\": \"two\"}]}");
        assertThat(template(whole)).isEqualTo("two");
        whole.file("chat_template.jinja", "three");
        assertThat(template(whole)).isEqualTo("three");
    }

    private static @Nullable String template(TestingFolder folder) {
        try (ModelFile model = folder.open()) {
            return model.vocabulary().chatTemplate().orElse(null);
        }
    }

    private VocabularyFile byteLevel(String normalizer, String preTokenizer) {
        return read("""
            {"added_tokens": [{"id": 4, "content": "<|end|>", "special": true}, {"id": 6, "content": "<tool>"}],
             "normalizer": %s, "pre_tokenizer": %s, "post_processor": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "c": 3}, "merges": ["a b"], "ignore_merges": true}}
            """.formatted(normalizer, preTokenizer));
    }

    private VocabularyFile read(String tokenizer) {
        try (ModelFile model =
                TestingFolder.whole(folder).file("tokenizer.json", tokenizer).open()) {
            return model.vocabulary();
        }
    }

    private static String split(String regex) {
        return "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"%s\"}, \"behavior\": \"Isolated\", \"invert\": false}"
                .formatted(regex);
    }

    private static String sequence(String first, String second) {
        return "{\"type\": \"Sequence\", \"pretokenizers\": [%s, %s]}".formatted(first, second);
    }
}

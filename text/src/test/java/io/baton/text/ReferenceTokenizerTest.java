package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.baton.model.files.ModelFile;
import io.baton.model.files.VocabularyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ours against Hugging Face's own implementation, both reading the same {@code tokenizer.json}. */
class ReferenceTokenizerTest {

    private static final String[] PIECES = {
        " ",
        "  ",
        "   ",
        "\n",
        "\n\n",
        "\r\n",
        "\t",
        "\u00A0",
        "\u3000",
        "\u0085",
        "\u200B",
        "the",
        "The",
        " world",
        "ing",
        "é",
        "e\u0301",
        "Å",
        "\u212B",
        "한글",
        "\u1112\u1161\u11AB",
        "中文",
        "日本語",
        "اللغة",
        "हिन्दी",
        "𝒜",
        "\u0301",
        "1",
        "23",
        "2024",
        "٣",
        "½",
        "Ⅷ",
        "'",
        "'s",
        "'S",
        "'LL",
        "don't",
        "I'VE",
        "!",
        "...",
        "_",
        "()",
        "{\n  ",
        "🙂",
        "👩‍👩‍👧",
        "\uFFFD",
        "▁",
        "Ġ",
        "aaaa",
        "ababab",
        "hello",
        "x=1;",
        "http://a.b/c"
    };

    private final Random random = new Random(21);

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama-spm", "gpt-2", "qwen2"})
    void randomTextsOfAPublishedVocabularyGetTheTokensOfTheReference(String name) throws IOException {
        VocabularyFile vocabulary = SharedData.vocabulary("tokenizers/ggml-vocab-" + name + ".gguf");
        TestingFolder.write(folder, vocabulary);
        assertAgrees(folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-bpe", "smollm"})
    void theOtherWordRulesAgreeToo(String preTokenizer) throws IOException {
        VocabularyFile gpt2 = SharedData.vocabulary("tokenizers/ggml-vocab-gpt-2.gguf");
        VocabularyFile renamed = new VocabularyFile(
                gpt2.model(),
                preTokenizer,
                gpt2.tokens(),
                gpt2.scores(),
                gpt2.kinds(),
                gpt2.merges(),
                gpt2.special(),
                false,
                false,
                false,
                preTokenizer.equals("llama-bpe"),
                gpt2.chatTemplate());
        TestingFolder.write(folder, renamed);
        assertAgrees(folder);
    }

    @Test
    void aPublishedTokenizerFileGivesTheTokensOfTheReferenceAndOfItsGguf() throws IOException {
        assertAgrees(SharedData.path("models/stories260K/derived/hf"));
        Tokenizer gguf = SharedData.tokenizer("models/stories260K/derived/stories260K-f32.gguf");
        Tokenizer ours = SharedData.tokenizer("models/stories260K/derived/hf");
        for (int round = 0; round < 500; round++) {
            String text = randomText();
            assertThat(ours.encode(text, EncodeOptions.PROMPT))
                    .containsExactly(gguf.encode(text, EncodeOptions.PROMPT));
        }
    }

    @Test
    void realTextGetsTheTokensOfTheReference() throws IOException {
        String text = SharedData.text("prompts/tinyshakespeare.txt").substring(0, 200_000);
        VocabularyFile vocabulary = SharedData.vocabulary("tokenizers/ggml-vocab-llama-spm.gguf");
        Path file = TestingFolder.write(folder, vocabulary);
        try (HuggingFaceTokenizer reference = reference(file);
                ModelFile model = ModelFile.open(folder)) {
            assertThat(Tokenizer.of(model.vocabulary()).encode(text, EncodeOptions.PLAIN))
                    .containsExactly(expected(reference, text));
        }
    }

    private void assertAgrees(Path in) throws IOException {
        try (HuggingFaceTokenizer reference = reference(in.resolve("tokenizer.json"));
                ModelFile model = ModelFile.open(in)) {
            Tokenizer ours = Tokenizer.of(model.vocabulary());
            for (int round = 0; round < 800; round++) {
                String text = randomText();
                int[] expected = expected(reference, text);
                assertThat(ours.encode(text, EncodeOptions.PLAIN))
                        .as("\"%s\"", text)
                        .containsExactly(expected);
            }
        }
    }

    private static HuggingFaceTokenizer reference(Path file) throws IOException {
        return HuggingFaceTokenizer.newInstance(
                Files.newInputStream(file), Map.of("truncation", "false", "padding", "false"));
    }

    private static int[] expected(HuggingFaceTokenizer reference, String text) {
        return Arrays.stream(reference.encode(text, false, false).getIds())
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    private String randomText() {
        return IntStream.range(0, 1 + random.nextInt(14))
                .mapToObj(i -> PIECES[random.nextInt(PIECES.length)])
                .reduce("", String::concat);
    }
}

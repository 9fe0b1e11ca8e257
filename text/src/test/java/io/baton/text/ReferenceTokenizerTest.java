package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.baton.model.files.ModelFile;
import io.baton.model.files.TextRules;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
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

    /** Texts of added tokens; one begins and ends with word characters, one is not composed, one has a space. */
    private static final List<String> ADDED = List.of("<|%d|>", "[tool %d]", "w%02d", "e\u0301%02d", "<%d>\u0301");

    /** What may stand beside them: spaces of all kinds, word characters, marks that compose, other text. */
    private static final String[] BESIDE = {
        " ", "  ", "\n", "\t", "\u00A0", "\u3000", "\u0085", "\u001C", "a", "é", "_", "1", "-", "\u0301", "\u0338",
        "\u200D", "中", "!", "<", "|>", "x y", "▁", "hello"
    };

    private final Random random = new Random(21);

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama-spm", "gpt-2", "qwen2"})
    void randomTextsOfAPublishedVocabularyGetTheTokensOfTheReference(String name) throws IOException {
        VocabularyFile vocabulary = PublishedFiles.vocabulary("tokenizers/ggml-vocab-" + name + ".gguf");
        TestingFolder.write(folder, vocabulary);
        assertAgrees(folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-bpe", "smollm"})
    void theOtherWordRulesAgreeToo(String preTokenizer) throws IOException {
        VocabularyFile gpt2 = PublishedFiles.vocabulary("tokenizers/ggml-vocab-gpt-2.gguf");
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

    /** The tokens of the added texts below come with every combination of the four flags, special or not. */
    @ParameterizedTest
    @ValueSource(strings = {"llama-spm", "gpt-2", "qwen2", "llama-bpe"})
    void addedTokensAreFoundAsTheirFlagsSay(String name) throws IOException {
        boolean renamed = name.equals("llama-bpe");
        VocabularyFile base =
                PublishedFiles.vocabulary("tokenizers/ggml-vocab-" + (renamed ? "gpt-2" : name) + ".gguf");
        int size = base.size();
        while (base.tokens().get(size - 1).startsWith("[PAD")) {
            size--; // the reference numbers added tokens without holes
        }
        int firstAdded = size;
        List<String> tokens = new ArrayList<>(base.tokens().subList(0, size));
        List<TokenKind> kinds = new ArrayList<>(base.kinds().subList(0, size));
        List<Set<Integer>> flags = IntStream.range(0, 4)
                .<Set<Integer>>mapToObj(flag -> new HashSet<>())
                .toList();
        List<String> added = new ArrayList<>();
        for (int flagged = 0; flagged < 16; flagged++) {
            for (TokenKind kind : List.of(TokenKind.CONTROL, TokenKind.USER_DEFINED)) {
                String text = ADDED.get(added.size() % ADDED.size()).formatted(added.size());
                for (int flag = 0; flag < 4; flag++) {
                    if ((flagged >> flag & 1) == 1) {
                        flags.get(flag).add(tokens.size());
                    }
                }
                added.add(text);
                tokens.add(text);
                kinds.add(kind);
            }
        }
        float[] scores = base.scores().length == 0 ? new float[0] : Arrays.copyOf(base.scores(), tokens.size());
        VocabularyFile flagged = new VocabularyFile(
                base.model(),
                renamed ? name : base.preTokenizer(),
                tokens,
                scores,
                kinds,
                base.merges(),
                base.special(),
                base.addBos(),
                base.addEos(),
                base.addSpacePrefix(),
                renamed,
                base.chatTemplate(),
                new TextRules(base.rules().compose(), false, flags.get(0), flags.get(1), flags.get(2), flags.get(3)));
        Path file = TestingFolder.write(folder, flagged);
        try (HuggingFaceTokenizer reference = reference(file);
                ModelFile model = ModelFile.open(folder)) {
            Tokenizer ours = Tokenizer.of(model.vocabulary());
            int found = 0;
            for (int round = 0; round < 3_000; round++) {
                String text = IntStream.range(0, 1 + random.nextInt(6))
                        .mapToObj(i -> random.nextBoolean()
                                ? added.get(random.nextInt(added.size()))
                                : BESIDE[random.nextInt(BESIDE.length)])
                        .reduce("", String::concat);
                int[] ids = ours.encode(text, new EncodeOptions(false, true));
                assertThat(ids).as("\"%s\"", text).containsExactly(expected(reference, text));
                found += (int) Arrays.stream(ids).filter(id -> id >= firstAdded).count();
            }
            assertThat(found).as("added tokens in all texts").isGreaterThan(2_000);
        }
    }

    @Test
    void aPublishedTokenizerFileGivesTheTokensOfTheReferenceAndOfItsGguf() throws IOException {
        assertAgrees(PublishedFiles.path("models/stories260K/derived/hf"));
        Tokenizer gguf = PublishedFiles.tokenizer("models/stories260K/derived/stories260K-f32.gguf");
        Tokenizer ours = PublishedFiles.tokenizer("models/stories260K/derived/hf");
        for (int round = 0; round < 500; round++) {
            String text = randomText();
            assertThat(ours.encode(text, EncodeOptions.PROMPT))
                    .containsExactly(gguf.encode(text, EncodeOptions.PROMPT));
        }
    }

    @Test
    void realTextGetsTheTokensOfTheReference() throws IOException {
        String text = PublishedFiles.text("prompts/tinyshakespeare.txt").substring(0, 200_000);
        VocabularyFile vocabulary = PublishedFiles.vocabulary("tokenizers/ggml-vocab-llama-spm.gguf");
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

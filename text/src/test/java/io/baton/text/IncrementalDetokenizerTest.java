package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.model.files.VocabularyFile.Merge;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IncrementalDetokenizerTest {

    private static final int FIRST_BYTE = 3; // id of <0x00>

    private final Tokenizer scored =
            Tokenizer.of(TestingVocabularies.sentencePiece(List.of("\u2581", "h", "i", "\u2581h", "\u2581hi", "é")));
    private final Tokenizer byteLevel =
            Tokenizer.of(TestingVocabularies.byteLevel("gpt-2", List.of(new Merge("Ã", "©"), new Merge("Ġ", "Ã©"))));
    private final Random random = new Random(3);

    @Test
    void tokenByTokenIsTheWholeForRandomBytes() {
        for (int round = 0; round < 2000; round++) {
            byte[] bytes = new byte[random.nextInt(24)];
            fill(bytes);
            IncrementalDetokenizer detokenizer = scored.detokenizer(new int[] {FIRST_BYTE + 'x'});
            StringBuilder text = new StringBuilder();
            for (byte value : bytes) {
                text.append(detokenizer.append(FIRST_BYTE + (value & 0xFF)));
            }
            text.append(detokenizer.finish());
            assertThat(text.toString()).isEqualTo(new String(bytes, StandardCharsets.UTF_8));
        }
    }

    @Test
    void tokenByTokenIsTheWholeForRandomTokens() {
        for (Tokenizer tokenizer : List.of(scored, byteLevel)) {
            for (int round = 0; round < 1000; round++) {
                int[] tokens = random.ints(random.nextInt(20), 0, tokenizer.vocabularySize())
                        .toArray();
                IncrementalDetokenizer detokenizer = tokenizer.detokenizer(new int[0]);
                List<String> pieces = new ArrayList<>();
                for (int token : tokens) {
                    pieces.add(detokenizer.append(token));
                }
                pieces.add(detokenizer.finish());
                assertThat(String.join("", pieces)).isEqualTo(tokenizer.decode(tokens));
            }
        }
    }

    /** The whole is put together from the tokens' bytes, without a detokenizer. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "tokenizers/ggml-vocab-llama-spm.gguf",
                "tokenizers/ggml-vocab-gpt-2.gguf",
                "tokenizers/ggml-vocab-qwen2.gguf",
                "models/stories260K/derived/hf"
            })
    void tokenByTokenIsTheWholeForPublishedVocabularies(String file) {
        Tokenizer tokenizer = PublishedFiles.tokenizer(file);
        for (int round = 0; round < 3_000; round++) {
            int[] tokens = random.ints(1 + random.nextInt(40), 0, tokenizer.vocabularySize())
                    .toArray();
            if (random.nextInt(4) == 0) {
                tokens[0] = tokenizer.bos().orElse(tokens[0]);
            }
            int prompt = random.nextInt(tokens.length + 1);
            IncrementalDetokenizer detokenizer = tokenizer.detokenizer(Arrays.copyOf(tokens, prompt));
            StringBuilder text = new StringBuilder();
            for (int i = prompt; i < tokens.length; i++) {
                String piece = detokenizer.append(tokens[i]);
                assertThat(piece).as("no half of a surrogate pair").isEqualTo(Surrogates.repaired(piece));
                text.append(piece);
            }
            text.append(detokenizer.finish());
            assertThat(text.toString())
                    .as("%s after %d of them", Arrays.toString(tokens), prompt)
                    .isEqualTo(whole(tokenizer, tokens).substring(certain(tokenizer, tokens, prompt)));
        }
    }

    /** All bytes as one text; the space that starts a text, or follows a bos, is not printed. */
    private static String whole(Tokenizer tokenizer, int[] tokens) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        boolean starts = tokenizer.spacePrefix();
        for (int token : tokens) {
            byte[] bytes = tokenizer.bytes(token);
            int from = starts && bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
            all.write(bytes, from, bytes.length - from);
            starts = tokenizer.spacePrefix() && OptionalInt.of(token).equals(tokenizer.bos());
        }
        return all.toString(StandardCharsets.UTF_8);
    }

    /** Characters that were certain with the first {@code count} tokens: a character in the making is not. */
    private static int certain(Tokenizer tokenizer, int[] tokens, int count) {
        String most = whole(tokenizer, tokens);
        String head = whole(tokenizer, Arrays.copyOf(tokens, count));
        IncrementalDetokenizer fresh = tokenizer.detokenizer(new int[0]);
        int certain = 0;
        for (int i = 0; i < count; i++) {
            certain += fresh.append(tokens[i]).length();
        }
        assertThat(certain).isBetween(head.length() - 1, head.length());
        assertThat(most).startsWith(head.substring(0, certain));
        return certain;
    }

    @Test
    void noCharacterComesOutBeforeItsLastByte() {
        for (String character : List.of("é", "中", "🙂", "\u0000", "\uFFFF")) {
            byte[] bytes = character.getBytes(StandardCharsets.UTF_8);
            IncrementalDetokenizer detokenizer = scored.detokenizer(new int[0]);
            for (int i = 0; i < bytes.length - 1; i++) {
                assertThat(detokenizer.append(FIRST_BYTE + (bytes[i] & 0xFF))).isEmpty();
            }
            assertThat(detokenizer.append(FIRST_BYTE + (bytes[bytes.length - 1] & 0xFF)))
                    .isEqualTo(character);
            assertThat(detokenizer.finish()).isEmpty();
        }
    }

    @Test
    void aByteThatCanBeNoCharacterIsReplacedAtOnce() {
        IncrementalDetokenizer detokenizer = scored.detokenizer(new int[0]);
        assertThat(detokenizer.append(FIRST_BYTE + 0xFF)).isEqualTo("\uFFFD");
        assertThat(detokenizer.append(FIRST_BYTE + 0xE4)).isEmpty();
        assertThat(detokenizer.append(FIRST_BYTE + 'A')).isEqualTo("\uFFFDA");
        assertThat(detokenizer.append(FIRST_BYTE + 0xF0)).isEmpty();
        assertThat(detokenizer.finish()).isEqualTo("\uFFFD");
        assertThat(detokenizer.finish()).isEmpty();
    }

    @Test
    void theSpaceAfterBosIsNotPrintedAndEveryOtherIs() {
        int hi = scored.encode("hi", EncodeOptions.PLAIN)[0];
        assertThat(scored.text(hi)).isEqualTo("\u2581hi");
        assertThat(scored.detokenizer(new int[0]).append(hi)).isEqualTo("hi");
        assertThat(scored.detokenizer(new int[] {1}).append(hi)).isEqualTo("hi");
        assertThat(scored.detokenizer(new int[] {1, hi}).append(hi)).isEqualTo(" hi");
        assertThat(scored.decode(new int[] {1, hi, hi, 1, hi})).isEqualTo("hi hihi");
        int[] spaced = byteLevel.encode(" é", EncodeOptions.PLAIN);
        assertThat(spaced).hasSize(1);
        assertThat(byteLevel.decode(spaced)).isEqualTo(" é");
    }

    @Test
    void aCharacterBegunInThePromptComesOutWithTheTokenThatEndsIt() {
        int[] tail = {FIRST_BYTE + 'a', FIRST_BYTE + 0xC3};
        assertThat(scored.detokenizer(tail).append(FIRST_BYTE + 0xA9)).isEqualTo("é");
    }

    @Test
    void decodingUndoesEncoding() {
        for (int round = 0; round < 1000; round++) {
            String text = IntStream.range(0, random.nextInt(12))
                    .map(i -> new int[] {'h', 'i', ' ', 'é', '\u4E2D', 0x1F642, '\n', 0}[random.nextInt(8)])
                    .mapToObj(Character::toString)
                    .reduce("", String::concat);
            for (Tokenizer tokenizer : List.of(scored, byteLevel)) {
                assertThat(tokenizer.decode(tokenizer.encode(text, EncodeOptions.PROMPT)))
                        .isEqualTo(text);
            }
        }
    }

    /** Random bytes are rarely nearly UTF-8, so half of them are drawn from its edges. */
    private void fill(byte[] bytes) {
        int[] edges = {
            0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xA0, 0x9F, 0xED, 0xEF, 0xF0, 0x90, 0xF4, 0x8F, 0xF5
        };
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (random.nextBoolean() ? random.nextInt(256) : edges[random.nextInt(edges.length)]);
        }
    }
}

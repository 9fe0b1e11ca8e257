package io.baton.testing;

import io.baton.model.files.SpecialTokens;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * SentencePiece vocabularies in which every byte is a token, so that any text has tokens that can be told in advance:
 * unknown, bos, eos, 256 bytes, then words. A prompt starts with bos.
 */
public final class ByteVocabulary {

    public static final int UNKNOWN = 0;
    public static final int BOS = 1;
    public static final int EOS = 2;
    public static final int FIRST_BYTE = 3;
    public static final int FIRST_WORD = FIRST_BYTE + 256;

    private ByteVocabulary() {}

    /** With these words, the first of highest score. */
    public static VocabularyFile of(List<String> words) {
        return of(words, List.of());
    }

    /** With these words, the first of highest score, and after them what is found in a text before any word is. */
    public static VocabularyFile of(List<String> words, List<String> userDefined) {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<TokenKind> kinds = new ArrayList<>(List.of(TokenKind.UNKNOWN, TokenKind.CONTROL, TokenKind.CONTROL));
        for (int value = 0; value < 256; value++) {
            tokens.add("<0x%02X>".formatted(value));
            kinds.add(TokenKind.BYTE);
        }
        for (String word : words) {
            tokens.add(word);
            kinds.add(TokenKind.NORMAL);
        }
        for (String text : userDefined) {
            tokens.add(text);
            kinds.add(TokenKind.USER_DEFINED);
        }
        float[] scores = new float[tokens.size()];
        for (int id = FIRST_WORD; id < scores.length; id++) {
            scores[id] = FIRST_WORD - id;
        }
        SpecialTokens special = new SpecialTokens(
                OptionalInt.of(BOS), OptionalInt.of(EOS), OptionalInt.of(UNKNOWN), OptionalInt.empty(), Set.of(EOS));
        return new VocabularyFile(
                "llama",
                "default",
                tokens,
                scores,
                kinds,
                List.of(),
                special,
                true,
                false,
                true,
                false,
                Optional.empty());
    }

    /** With words that no text has, as many as it takes to have {@code size} tokens. */
    public static VocabularyFile ofSize(int size) {
        return of(
                IntStream.range(FIRST_WORD, size).mapToObj(id -> "\u2581w" + id).toList());
    }

    /** One token per byte of UTF-8. */
    public static int[] tokens(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return IntStream.range(0, bytes.length)
                .map(i -> FIRST_BYTE + (bytes[i] & 0xff))
                .toArray();
    }
}

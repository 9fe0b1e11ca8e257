package io.baton.text;

import io.baton.model.files.SpecialTokens;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import io.baton.model.files.VocabularyFile.Merge;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Small vocabularies with every kind of token. */
final class TestingVocabularies {

    private TestingVocabularies() {}

    /**
     * Unknown, bos, eos, 256 bytes, then the given words, the first of highest score; and {@code <tool>} user-defined.
     */
    static VocabularyFile sentencePiece(List<String> words) {
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
        tokens.add("<tool>");
        kinds.add(TokenKind.USER_DEFINED);
        float[] scores = new float[tokens.size()];
        for (int id = 259; id < scores.length; id++) {
            scores[id] = 259 - id;
        }
        SpecialTokens special = new SpecialTokens(
                OptionalInt.of(1), OptionalInt.of(2), OptionalInt.of(0), OptionalInt.empty(), Set.of(2));
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

    /** 256 bytes, the merged tokens, then {@code <|end|>} as control and {@code <tool>} as user-defined token. */
    static VocabularyFile byteLevel(String preTokenizer, List<Merge> merges) {
        List<String> tokens = new ArrayList<>();
        for (int value = 0; value < 256; value++) {
            tokens.add(String.valueOf(ByteAlphabet.character(value)));
        }
        for (Merge merge : merges) {
            tokens.add(merge.left() + merge.right());
        }
        List<TokenKind> kinds = new ArrayList<>(Collections.nCopies(tokens.size(), TokenKind.NORMAL));
        tokens.add("<|end|>");
        kinds.add(TokenKind.CONTROL);
        tokens.add("<tool>");
        kinds.add(TokenKind.USER_DEFINED);
        OptionalInt end = OptionalInt.of(tokens.size() - 2);
        SpecialTokens special =
                new SpecialTokens(end, end, OptionalInt.empty(), OptionalInt.empty(), Set.of(end.getAsInt()));
        return new VocabularyFile(
                "gpt2",
                preTokenizer,
                tokens,
                new float[0],
                kinds,
                merges,
                special,
                false,
                false,
                false,
                false,
                Optional.empty());
    }
}

package io.baton.text;

import io.baton.model.files.SpecialTokens;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import io.baton.model.files.VocabularyFile.Merge;
import io.baton.testing.ByteVocabulary;
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
        return ByteVocabulary.of(words, List.of("<tool>"));
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

package io.baton.decode;

import io.baton.model.files.SpecialTokens;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import io.baton.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** A vocabulary in which every byte is a token, so that a script of tokens can be written as text. */
final class TestingTokenizer {

    static final int END = 2;
    private static final int FIRST_BYTE = 3;

    private TestingTokenizer() {}

    static Tokenizer create() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<TokenKind> kinds = new ArrayList<>(List.of(TokenKind.UNKNOWN, TokenKind.CONTROL, TokenKind.CONTROL));
        for (int value = 0; value < 256; value++) {
            tokens.add("<0x%02X>".formatted(value));
            kinds.add(TokenKind.BYTE);
        }
        while (tokens.size() < ScriptedEngine.SHAPE.vocabularySize()) {
            tokens.add("word" + tokens.size());
            kinds.add(TokenKind.NORMAL);
        }
        SpecialTokens special = new SpecialTokens(
                OptionalInt.of(1), OptionalInt.of(END), OptionalInt.of(0), OptionalInt.empty(), Set.of(END));
        return Tokenizer.of(new VocabularyFile(
                "llama",
                "default",
                tokens,
                new float[tokens.size()],
                kinds,
                List.of(),
                special,
                true,
                false,
                true,
                false,
                Optional.empty()));
    }

    /** One token per byte of UTF-8. */
    static int[] tokens(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[bytes.length];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = FIRST_BYTE + (bytes[i] & 0xff);
        }
        return tokens;
    }
}

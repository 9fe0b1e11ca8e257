package io.baton.gateway;

import io.baton.kv.SequenceFingerprint;
import io.baton.model.files.SpecialTokens;
import io.baton.model.files.TokenKind;
import io.baton.model.files.VocabularyFile;
import io.baton.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** A model of 262 tokens (unknown, bos, eos, 256 bytes, three words) and 128 positions; prompts get a bos. */
final class TestingModel {

    static final int VOCABULARY = 262;
    static final int CONTEXT = 128;
    static final int BLOCK_TOKENS = 16;

    private TestingModel() {}

    static ServedModel served() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<TokenKind> kinds = new ArrayList<>(List.of(TokenKind.UNKNOWN, TokenKind.CONTROL, TokenKind.CONTROL));
        for (int value = 0; value < 256; value++) {
            tokens.add("<0x%02X>".formatted(value));
            kinds.add(TokenKind.BYTE);
        }
        for (String word : List.of("\u2581", "a", "b")) {
            tokens.add(word);
            kinds.add(TokenKind.NORMAL);
        }
        SpecialTokens special = new SpecialTokens(
                OptionalInt.of(1), OptionalInt.of(2), OptionalInt.of(0), OptionalInt.empty(), Set.of(2));
        VocabularyFile vocabulary = new VocabularyFile(
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
                Optional.empty());
        return new ServedModel("tiny", "llama", CONTEXT, VOCABULARY, 2, 2, 8, Tokenizer.of(vocabulary), digest(7));
    }

    static SequenceFingerprint fingerprint() {
        return fingerprint(digest(7), 1);
    }

    static SequenceFingerprint fingerprint(byte[] tokenizerDigest, int arithmeticRevision) {
        return new SequenceFingerprint(
                digest(1),
                "",
                "weights=f32,activations=f32,kv=bf16",
                arithmeticRevision,
                "cpu",
                BLOCK_TOKENS,
                "panel16",
                "adjacent",
                tokenizerDigest);
    }

    static byte[] digest(int fill) {
        byte[] digest = new byte[32];
        java.util.Arrays.fill(digest, (byte) fill);
        return digest;
    }
}

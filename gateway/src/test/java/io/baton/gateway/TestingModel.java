package io.baton.gateway;

import io.baton.kv.SequenceFingerprint;
import io.baton.testing.ByteVocabulary;
import io.baton.text.Tokenizer;
import java.util.List;

/** A model of 262 tokens (unknown, bos, eos, 256 bytes, three words) and 128 positions; prompts get a bos. */
final class TestingModel {

    static final int VOCABULARY = 262;
    static final int CONTEXT = 128;
    static final int BLOCK_TOKENS = 16;

    private TestingModel() {}

    static ServedModel served() {
        Tokenizer tokenizer = Tokenizer.of(ByteVocabulary.of(List.of("\u2581", "a", "b")));
        return new ServedModel("tiny", "llama", CONTEXT, VOCABULARY, 2, 2, 8, tokenizer, digest(7));
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

package io.baton.text;

/** Turns text without special tokens into tokens. Implementations are immutable. */
sealed interface TextEncoder permits SentencePieceEncoder, ByteLevelEncoder {

    /**
     * Appends the tokens of {@code text}, which is not empty.
     *
     * @param spacePrefix whether a space goes before it
     */
    void encode(String text, boolean spacePrefix, IntList tokens);

    /** The bytes an ordinary token stands for. */
    byte[] bytes(String token);
}

package io.baton.text;

/** Turns text without special tokens into tokens. Implementations are immutable. */
sealed interface TextEncoder permits SentencePieceEncoder, ByteLevelEncoder {

    /**
     * Appends the tokens of {@code text}, which is not empty.
     *
     * @param afterSpecial whether the text starts the sequence or follows a special token
     */
    void encode(String text, boolean afterSpecial, IntList tokens);

    /** The bytes an ordinary token stands for. */
    byte[] bytes(String token);
}

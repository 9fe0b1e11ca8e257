package io.baton.text;

/** A vocabulary that no tokenizer here can run. The message says what was found and what was expected. */
public final class TokenizerException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public TokenizerException(String message) {
        super(message);
    }
}

package io.baton.serving;

/** A server or channel that cannot be set up as asked. The message says what was found and what to change. */
public class ServingException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public ServingException(String message) {
        super(message);
    }

    public ServingException(String message, Throwable cause) {
        super(message, cause);
    }
}

package io.baton.transfer;

/** A frame that is malformed or does not belong where it came; the message says what was found and expected. */
final class FrameException extends Exception {

    private static final long serialVersionUID = 1L;

    FrameException(String message) {
        super(message);
    }

    FrameException(String message, Throwable cause) {
        super(message, cause);
    }
}

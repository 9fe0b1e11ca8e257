package io.baton.serving;

/** A configuration that cannot be used: the message names the key, where its value came from and what was expected. */
public final class SettingsException extends ServingException {

    private static final long serialVersionUID = 1L;

    public SettingsException(String message) {
        super(message);
    }

    public SettingsException(String message, Throwable cause) {
        super(message, cause);
    }
}

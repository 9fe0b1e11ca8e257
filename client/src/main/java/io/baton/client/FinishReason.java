package io.baton.client;

/** Why an answer ended. */
public enum FinishReason {
    /** A stop string, stop token or end-of-sequence token. */
    STOP,
    /** maxTokens or the context length. */
    LENGTH,
    /** A reason this version does not know. */
    OTHER
}

package io.baton.engine;

/** Why a sequence ended well. */
public enum FinishReason {
    /** A stop token, or the listener ended it. */
    STOP,
    /** The token budget or the context length was reached. */
    LENGTH
}

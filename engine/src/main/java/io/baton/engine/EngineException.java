package io.baton.engine;

/** A request or a model the engine cannot serve. The message says what was found, what was expected and what to do. */
public final class EngineException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What the caller can do about it; a service maps each to one gRPC status. */
    public enum Kind {
        /** The request is malformed. */
        INVALID_ARGUMENT,
        /** The prompt does not fit the context length. */
        OUT_OF_RANGE,
        /** The model cannot be served at all. */
        UNSUPPORTED_MODEL,
        /** No room now: queue full, pool too small. */
        RESOURCE_EXHAUSTED,
        CANCELLED,
        DEADLINE_EXCEEDED,
        /** The engine is shutting down. */
        UNAVAILABLE,
        /** A non-finite activation or a defect; only this sequence is affected. */
        INTERNAL
    }

    private final Kind kind;

    public EngineException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public EngineException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}

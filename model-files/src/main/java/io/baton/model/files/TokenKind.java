package io.baton.model.files;

/** What a vocabulary entry is for. */
public enum TokenKind {
    /** Ordinary text. */
    NORMAL(1),
    /** Stands for text the vocabulary cannot spell. */
    UNKNOWN(2),
    /** Steers the model, is never text: {@code <s>}, {@code <|eot_id|>}. */
    CONTROL(3),
    /** Text that is never split, matched before everything else. */
    USER_DEFINED(4),
    /** Reserved; never produced from text. */
    UNUSED(5),
    /** One raw byte, {@code <0x0A>}. */
    BYTE(6);

    private final int ggufId;

    TokenKind(int ggufId) {
        this.ggufId = ggufId;
    }

    /** The kind with this number in {@code tokenizer.ggml.token_type}; numbers nobody defined are ordinary text. */
    static TokenKind ofGgufId(int id) {
        return switch (id) {
            case 2 -> UNKNOWN;
            case 3 -> CONTROL;
            case 4 -> USER_DEFINED;
            case 5 -> UNUSED;
            case 6 -> BYTE;
            default -> NORMAL;
        };
    }

    int ggufId() {
        return ggufId;
    }
}

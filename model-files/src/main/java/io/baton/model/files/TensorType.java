package io.baton.model.files;

import java.util.Optional;

/**
 * How a tensor's elements are stored. Sizes of every type of the GGUF family are known here, so that a file with types
 * nobody computes with can still be walked, described and refused by name.
 */
public enum TensorType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q8_1(9, 32, 36),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    Q8_K(15, 256, 292),
    IQ2_XXS(16, 256, 66),
    IQ2_XS(17, 256, 74),
    IQ3_XXS(18, 256, 98),
    IQ1_S(19, 256, 50),
    IQ4_NL(20, 32, 18),
    IQ3_S(21, 256, 110),
    IQ2_S(22, 256, 82),
    IQ4_XS(23, 256, 136),
    I8(24, 1, 1),
    I16(25, 1, 2),
    I32(26, 1, 4),
    I64(27, 1, 8),
    F64(28, 1, 8),
    IQ1_M(29, 256, 56),
    BF16(30, 1, 2),
    TQ1_0(34, 256, 54),
    TQ2_0(35, 256, 66),
    MXFP4(39, 32, 17),
    NVFP4(40, 64, 36);

    private static final TensorType[] BY_GGUF_ID = new TensorType[41];

    static {
        for (TensorType type : values()) {
            BY_GGUF_ID[type.ggufId] = type;
        }
    }

    private final int ggufId;
    private final int blockElements;
    private final int blockBytes;

    TensorType(int ggufId, int blockElements, int blockBytes) {
        this.ggufId = ggufId;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /** The type with this number in a GGUF file; empty for removed and unknown numbers. */
    static Optional<TensorType> ofGgufId(int id) {
        return id < 0 || id >= BY_GGUF_ID.length ? Optional.empty() : Optional.ofNullable(BY_GGUF_ID[id]);
    }

    int ggufId() {
        return ggufId;
    }

    /** Elements that are stored together; a row is a whole number of blocks. */
    public int blockElements() {
        return blockElements;
    }

    public int blockBytes() {
        return blockBytes;
    }

    /** Bytes of one row of {@code columns} elements, a multiple of {@link #blockElements()}. */
    public long rowBytes(long columns) {
        if (columns < 0 || columns % blockElements != 0) {
            throw new IllegalArgumentException(
                    "a row of %s holds a multiple of %d elements, found %d".formatted(this, blockElements, columns));
        }
        return Math.multiplyExact(columns / blockElements, (long) blockBytes);
    }
}

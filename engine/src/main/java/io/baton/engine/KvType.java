package io.baton.engine;

/** Element type of cached K and V. */
public enum KvType {
    F32(4, 1),
    /** f32 rounded to the nearest bf16, ties to even. */
    BF16(2, 2),
    /** int8 with one f32 scale per head-vector. */
    Q8(1, 4);

    private final int bytes;
    private final int groupElements;

    KvType(int bytes, int groupElements) {
        this.bytes = bytes;
        this.groupElements = groupElements;
    }

    /** Bytes per element, scales not counted. */
    public int bytes() {
        return bytes;
    }

    /** Elements of a row that lie together in a 16-row panel: four bytes' worth. */
    public int groupElements() {
        return groupElements;
    }
}

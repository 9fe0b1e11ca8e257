package io.baton.engine.kernel;

/**
 * How a weight matrix lies in memory: panels of sixteen rows, the rows of a panel interleaved so that one load gives a
 * value (or a group of values) of each of the sixteen. Rows are padded to 16 and columns as said below, with zeros.
 */
public enum MatrixFormat {
    /** {@code [columns][16]} f32. */
    F32,
    /** {@code [columns / 2][16][2]} bf16, columns padded to 2. */
    BF16,
    /**
     * {@code [columns / 64]{f16 scale[2][16]; s8 values[2][8][16][4]}}, columns padded to 64: spans of two groups of 32
     * columns; a value is {@code scale * s8}. The number of columns is a multiple of 32.
     */
    Q8;

    public static final int PANEL_ROWS = 16;

    /** Columns that share a scale in {@link #Q8}. */
    static final int GROUP = 32;

    private static final int SPAN_SCALES = 2 * PANEL_ROWS * Short.BYTES;
    private static final int GROUP_BYTES = PANEL_ROWS * GROUP;
    private static final int SPAN_BYTES = SPAN_SCALES + 2 * GROUP_BYTES;

    /** Bytes of sixteen rows. */
    public long panelBytes(int columns) {
        return switch (this) {
            case F32 -> (long) columns * PANEL_ROWS * Float.BYTES;
            case BF16 -> (columns + 1L) / 2 * PANEL_ROWS * Integer.BYTES;
            case Q8 -> (columns + 63L) / 64 * SPAN_BYTES;
        };
    }

    /** Whether a matrix of this width can have this format. */
    public boolean takes(int columns) {
        return this != Q8 || columns % GROUP == 0;
    }

    /** Bytes of a whole matrix. */
    public long matrixBytes(int rows, int columns) {
        return panels(rows) * panelBytes(columns);
    }

    /** Panels of a matrix. */
    public static int panels(int rows) {
        return (rows + PANEL_ROWS - 1) / PANEL_ROWS;
    }

    /** Where the sixteen f16 scales of a group lie in a {@link #Q8} panel. */
    static long q8Scales(int group) {
        return (long) (group >> 1) * SPAN_BYTES + (group & 1L) * PANEL_ROWS * Short.BYTES;
    }

    /** Where the values {@code [8][16][4]} of a group lie in a {@link #Q8} panel. */
    static long q8Values(int group) {
        return (long) (group >> 1) * SPAN_BYTES + SPAN_SCALES + (group & 1L) * GROUP_BYTES;
    }
}

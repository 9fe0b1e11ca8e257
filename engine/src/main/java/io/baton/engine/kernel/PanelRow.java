package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;

/** Reads rows back out of panels, exactly; one implementation for all providers. */
final class PanelRow {

    private PanelRow() {}

    /** Writes the values of {@code row} to {@code y}. */
    static void read(PackedMatrix matrix, int row, long y) {
        long panel = matrix.panel(row / MatrixFormat.PANEL_ROWS);
        int lane = row % MatrixFormat.PANEL_ROWS;
        switch (matrix.format()) {
            case F32 -> {
                for (int k = 0; k < matrix.columns(); k++) {
                    put(y, k, OffHeap.f32(panel + (long) k * OffHeap.ALIGNMENT + (long) lane * Float.BYTES));
                }
            }
            case BF16 -> {
                for (int k = 0; k < matrix.columns(); k++) {
                    long pair = panel + (long) (k >> 1) * OffHeap.ALIGNMENT + (long) lane * Integer.BYTES;
                    put(y, k, Arithmetic.fromBf16(OffHeap.s16(pair + (k & 1L) * Short.BYTES)));
                }
            }
            default -> quantised(matrix.format().block(), panel, lane, matrix.columns(), y);
        }
    }

    private static void quantised(PanelBlock block, long panel, int lane, int columns, long y) {
        for (int first = 0; first < columns; first += block.scaleColumns()) {
            float scale = block.scale(panel, first, lane);
            float offset = block.offset(panel, first / MatrixFormat.GROUP, lane);
            for (int k = first; k < first + block.scaleColumns(); k++) {
                float value = scale * block.weight(panel, k, lane);
                put(y, k, block.scales().offsets() ? value + offset : value);
            }
        }
    }

    private static void put(long y, int k, float value) {
        OffHeap.f32(y + (long) k * Float.BYTES, value);
    }
}

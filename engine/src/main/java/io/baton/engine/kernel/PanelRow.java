package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;

/** Reads single values and rows back out of panels, exactly; one implementation for all providers. */
final class PanelRow {

    private PanelRow() {}

    /** Writes the values of {@code row} to {@code y}. */
    static void read(PackedMatrix matrix, int row, long y) {
        long panel = matrix.panel(row / MatrixFormat.PANEL_ROWS);
        int lane = row % MatrixFormat.PANEL_ROWS;
        for (int k = 0; k < matrix.columns(); k++) {
            OffHeap.f32(y + (long) k * Float.BYTES, value(matrix.format(), panel, lane, k));
        }
    }

    private static float value(MatrixFormat format, long panel, int lane, int k) {
        return switch (format) {
            case F32 -> OffHeap.f32(panel + (long) k * OffHeap.ALIGNMENT + (long) lane * Float.BYTES);
            case BF16 -> {
                long pair = panel + (long) (k >> 1) * OffHeap.ALIGNMENT + (long) lane * Integer.BYTES;
                yield Arithmetic.fromBf16(OffHeap.s16(pair + (k & 1L) * Short.BYTES));
            }
            case Q8 -> q8Scale(panel, k / MatrixFormat.GROUP, lane) * q8Value(panel, k, lane);
        };
    }

    static float q8Scale(long panel, int group, int lane) {
        return Float.float16ToFloat(OffHeap.s16(panel + MatrixFormat.q8Scales(group) + (long) lane * Short.BYTES));
    }

    static byte q8Value(long panel, int k, int lane) {
        long values = panel + MatrixFormat.q8Values(k / MatrixFormat.GROUP);
        int inGroup = k % MatrixFormat.GROUP;
        return OffHeap.s8(
                values + (long) (inGroup >> 2) * OffHeap.ALIGNMENT + (long) lane * Integer.BYTES + (inGroup & 3));
    }
}

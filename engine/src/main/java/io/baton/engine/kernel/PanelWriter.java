package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Writes a matrix into panels, row by row in any order; each row once. Different threads may write different panels.
 * Rounding to the format is the format's own: see {@link #floats}.
 */
public final class PanelWriter {

    /** A Q8_0 block of a model file: an f16 scale and 32 int8. */
    public static final int Q8_BLOCK_BYTES = 34;

    private static final float LARGEST_F16 = 65504f;
    private static final ValueLayout.OfShort SCALE =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final PackedMatrix matrix;

    private PanelWriter(PackedMatrix matrix) {
        this.matrix = matrix;
    }

    /** A writer of a new matrix, all zero so far. */
    public static PanelWriter of(MatrixFormat format, int rows, int columns, SegmentAllocator memory) {
        return new PanelWriter(PackedMatrix.allocate(format, rows, columns, memory));
    }

    public PackedMatrix matrix() {
        return matrix;
    }

    /**
     * Writes one row of finite values: exactly in F32, to the nearest bf16 in BF16; in Q8 per group of 32 with the f16
     * nearest to {@code max |w| / 127} as scale, each value the nearest multiple, ties to even, at most ±127.
     */
    public void floats(int row, float[] values) {
        switch (matrix.format()) {
            case F32 -> f32(row, values);
            case BF16 -> bf16(row, values);
            case Q8 -> q8(row, values);
        }
    }

    private void f32(int row, float[] values) {
        long lane = lane(row, Float.BYTES);
        for (int k = 0; k < values.length; k++) {
            OffHeap.f32(lane + (long) k * OffHeap.ALIGNMENT, values[k]);
        }
    }

    private void bf16(int row, float[] values) {
        long lane = lane(row, Integer.BYTES);
        for (int k = 0; k < values.length; k++) {
            OffHeap.s16(
                    lane + (long) (k >> 1) * OffHeap.ALIGNMENT + (k & 1L) * Short.BYTES, Arithmetic.bf16(values[k]));
        }
    }

    private void q8(int row, float[] values) {
        for (int group = 0; group * MatrixFormat.GROUP < values.length; group++) {
            int first = group * MatrixFormat.GROUP;
            float largest = 0;
            for (int k = first; k < first + MatrixFormat.GROUP; k++) {
                largest = Math.max(largest, Math.abs(values[k]));
            }
            short scale = Float.floatToFloat16(Math.min(largest / 127f, LARGEST_F16));
            float inverse = Arithmetic.q8Inverse(Float.float16ToFloat(scale));
            putScale(row, group, scale);
            for (int k = 0; k < MatrixFormat.GROUP; k++) {
                float q = Arithmetic.q8Value(values[first + k], inverse);
                putValue(row, group, k, (byte) Math.clamp(q, -127f, 127f));
            }
        }
    }

    /** Writes one row of a Q8 matrix from Q8_0 blocks, bit for bit. */
    public void q8Blocks(int row, MemorySegment blocks) {
        for (int group = 0; group < matrix.columns() / MatrixFormat.GROUP; group++) {
            long block = (long) group * Q8_BLOCK_BYTES;
            putScale(row, group, blocks.get(SCALE, block));
            for (int k = 0; k < MatrixFormat.GROUP; k++) {
                putValue(row, group, k, blocks.get(ValueLayout.JAVA_BYTE, block + Short.BYTES + k));
            }
        }
    }

    private void putScale(int row, int group, short scale) {
        OffHeap.s16(
                panel(row) + MatrixFormat.q8Scales(group) + (long) row % MatrixFormat.PANEL_ROWS * Short.BYTES, scale);
    }

    private void putValue(int row, int group, int k, byte value) {
        long quad = MatrixFormat.q8Values(group) + (long) (k >> 2) * OffHeap.ALIGNMENT;
        OffHeap.s8(panel(row) + quad + (long) row % MatrixFormat.PANEL_ROWS * Integer.BYTES + (k & 3), value);
    }

    private long lane(int row, int laneBytes) {
        return panel(row) + (long) row % MatrixFormat.PANEL_ROWS * laneBytes;
    }

    private long panel(int row) {
        return matrix.panel(row / MatrixFormat.PANEL_ROWS);
    }
}

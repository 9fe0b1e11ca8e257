package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;
import java.lang.foreign.SegmentAllocator;

/**
 * Writes a matrix into panels, row by row in any order; each row once. Different threads may write different panels.
 * Quantised rows are kept as they are; values are rounded as {@link #floats} says.
 */
public final class PanelWriter {

    private static final float LARGEST_F16 = 65504f;
    private static final int NIBBLES = 0x0f0f0f0f;
    private static final int QUADS = MatrixFormat.GROUP / 4;

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
            default -> throw new IllegalArgumentException("nothing is rounded to " + matrix.format());
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
        QuantisedRow rounded = QuantisedRow.of(MatrixFormat.Q8, values.length);
        for (int group = 0; group < rounded.scales.length; group++) {
            int first = group * MatrixFormat.GROUP;
            float largest = 0;
            for (int k = first; k < first + MatrixFormat.GROUP; k++) {
                largest = Math.max(largest, Math.abs(values[k]));
            }
            short scale = Float.floatToFloat16(Math.min(largest / 127f, LARGEST_F16));
            float inverse = Arithmetic.q8Inverse(Float.float16ToFloat(scale));
            rounded.scales[group] = scale;
            for (int k = first; k < first + MatrixFormat.GROUP; k++) {
                rounded.codes[k] = (byte) Math.clamp(Arithmetic.q8Value(values[k], inverse), -127f, 127f);
            }
        }
        quantised(row, rounded);
    }

    /** Writes one row of the matrix's own format, bit for bit. */
    public void quantised(int row, QuantisedRow source) {
        PanelBlock block = matrix.format().block();
        if (!source.layout.equals(block) || source.codes.length != matrix.columns()) {
            throw new IllegalArgumentException("%d columns in %s for a matrix of %d columns in %s"
                    .formatted(source.codes.length, source.layout, matrix.columns(), block));
        }
        int lane = row % MatrixFormat.PANEL_ROWS;
        long panel = panel(row);
        for (int group = 0; group < matrix.columns() / MatrixFormat.GROUP; group++) {
            scales(source, group, panel, lane);
            long values = panel + block.values(group) + (long) lane * Integer.BYTES;
            if (block.bits() == Byte.SIZE) {
                for (int quad = 0; quad < QUADS; quad++) {
                    OffHeap.s32(values + (long) quad * OffHeap.ALIGNMENT, source.quad(column(group, quad)));
                }
            } else {
                nibbles(source, group, values);
                highBits(source, group, panel + block.highBits(group) + (long) lane * Integer.BYTES);
            }
        }
    }

    private static void scales(QuantisedRow source, int group, long panel, int lane) {
        PanelBlock block = source.layout;
        boolean nested = block.scales().nested();
        int stored = nested ? group / block.scales().groups : group;
        OffHeap.s16(panel + block.outerScales(group) + (long) lane * Short.BYTES, source.scales[stored]);
        if (block.scales().offsets()) {
            OffHeap.s16(panel + block.outerOffsets(group) + (long) lane * Short.BYTES, source.offsets[stored]);
        }
        if (nested) {
            long inner = panel + block.innerScales(group) + lane;
            OffHeap.s8(inner, source.inner[2 * group]);
            OffHeap.s8(inner + MatrixFormat.PANEL_ROWS, source.inner[2 * group + 1]);
        }
    }

    private static void nibbles(QuantisedRow source, int group, long to) {
        for (int quad = 0; quad < QUADS / 2; quad++) {
            int low = source.quad(column(group, quad)) & NIBBLES;
            int high = source.quad(column(group, quad + QUADS / 2)) & NIBBLES;
            OffHeap.s32(to + (long) quad * OffHeap.ALIGNMENT, low | high << 4);
        }
    }

    private static void highBits(QuantisedRow source, int group, long to) {
        if (source.layout.bits() == 5) {
            int bits = 0;
            for (int quad = 0; quad < QUADS; quad++) {
                bits |= (source.quad(column(group, quad)) >>> 4 & 0x01010101) << quad;
            }
            OffHeap.s32(to, bits);
        } else if (source.layout.bits() == 6) {
            for (int half = 0; half < 2; half++) {
                int bits = 0;
                for (int quad = 0; quad < QUADS / 2; quad++) {
                    int codes = source.quad(column(group, half * QUADS / 2 + quad));
                    bits |= (codes >>> 4 & 0x03030303) << (2 * quad);
                }
                OffHeap.s32(to + (long) half * OffHeap.ALIGNMENT, bits);
            }
        }
    }

    private static int column(int group, int quad) {
        return group * MatrixFormat.GROUP + 4 * quad;
    }

    private long lane(int row, int laneBytes) {
        return panel(row) + (long) row % MatrixFormat.PANEL_ROWS * laneBytes;
    }

    private long panel(int row) {
        return matrix.panel(row / MatrixFormat.PANEL_ROWS);
    }
}

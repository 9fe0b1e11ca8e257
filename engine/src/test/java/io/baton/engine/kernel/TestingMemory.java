package io.baton.engine.kernel;

import io.baton.engine.ActivationMode;
import io.baton.engine.memory.OffHeap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Off-heap rows for kernel tests, zero-padded to whole vectors as kernels expect. */
final class TestingMemory implements AutoCloseable {

    private final Arena arena = Arena.ofConfined();

    Arena arena() {
        return arena;
    }

    long bytes(long count) {
        return arena.allocate(count, OffHeap.ALIGNMENT).address();
    }

    long row(float... values) {
        long row = bytes(OffHeap.rowBytes(values.length));
        OffHeap.copy(values, values.length, row);
        return row;
    }

    PackedMatrix matrix(MatrixFormat format, float[][] values) {
        PanelWriter writer = PanelWriter.of(format, values.length, values[0].length, arena);
        for (int row = 0; row < values.length; row++) {
            writer.floats(row, values[row]);
        }
        return writer.matrix();
    }

    /** A matrix of random values or, in a format nothing is rounded to, of random blocks. */
    PackedMatrix matrix(MatrixFormat format, Random random, int rows, int columns) {
        if (format == MatrixFormat.Q8 || format.activations() != ActivationMode.Q8) {
            return matrix(format, matrix(random, rows, columns));
        }
        PanelWriter writer = PanelWriter.of(format, rows, columns, arena);
        QuantisedRow blocks = QuantisedRow.of(format, columns);
        for (int row = 0; row < rows; row++) {
            blocks.read(MemorySegment.ofArray(TestingBlocks.row(format, random, columns)));
            writer.quantised(row, blocks);
        }
        return writer.matrix();
    }

    static float[] read(long row, int n) {
        float[] values = new float[n];
        OffHeap.copy(row, values, n);
        return values;
    }

    /** Values around one, and now and then a zero, a huge or a tiny one. */
    static float[] values(Random random, int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            float ordinary = (float) random.nextGaussian();
            values[i] = switch (random.nextInt(40)) {
                case 0 -> 0;
                case 1 -> ordinary * 0x1p-60f;
                case 2 -> ordinary * 100;
                default -> ordinary;
            };
        }
        return values;
    }

    static float[][] matrix(Random random, int rows, int columns) {
        float[][] matrix = new float[rows][];
        for (int row = 0; row < rows; row++) {
            matrix[row] = values(random, columns);
        }
        return matrix;
    }

    @Override
    public void close() {
        arena.close();
    }
}

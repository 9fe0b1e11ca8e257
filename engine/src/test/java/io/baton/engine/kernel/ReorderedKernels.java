package io.baton.engine.kernel;

import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;

/**
 * The definition, but products are summed from both halves of the columns and rows from the end: right, with other
 * bits.
 */
public final class ReorderedKernels implements Kernels {

    private final Kernels definition = new ScalarKernels();

    @Override
    public String name() {
        return "reordered";
    }

    @Override
    public long scratchBytes(int headDim, int group) {
        return definition.scratchBytes(headDim, group);
    }

    @Override
    public long roundedBytes(MatrixFormat format, int columns) {
        return definition.roundedBytes(format, columns);
    }

    @Override
    public void round(MatrixFormat format, long x, int columns, long rounded) {
        definition.round(format, x, columns, rounded);
    }

    @Override
    public void product(
            PackedMatrix matrix,
            int fromPanel,
            int toPanel,
            long rounded,
            int rows,
            long y,
            long yStride,
            long scratch) {
        long rowBytes = roundedBytes(matrix.format(), matrix.columns());
        long half = matrix.columns() / 2 / 32 * 32L * Float.BYTES;
        try (TestingMemory memory = new TestingMemory()) {
            long head = memory.bytes(rowBytes * rows);
            long tail = memory.bytes(rowBytes * rows);
            OffHeap.copy(rounded, head, rowBytes * rows);
            OffHeap.copy(rounded, tail, rowBytes * rows);
            for (int row = 0; row < rows; row++) {
                OffHeap.zero(head + row * rowBytes + half, matrix.columns() * (long) Float.BYTES - half);
                OffHeap.zero(tail + row * rowBytes, half);
            }
            long rest = memory.bytes(yStride * rows);
            definition.product(matrix, fromPanel, toPanel, head, rows, y, yStride, scratch);
            definition.product(matrix, fromPanel, toPanel, tail, rows, rest, yStride, scratch);
            for (int row = 0; row < rows; row++) {
                for (long at = row * yStride + fromPanel * 64L; at < row * yStride + toPanel * 64L; at += Float.BYTES) {
                    OffHeap.f32(y + at, OffHeap.f32(y + at) + OffHeap.f32(rest + at));
                }
            }
        }
    }

    @Override
    public float sumOfSquares(long x, int n) {
        float sum = 0;
        for (int i = n - 1; i >= 0; i--) {
            float value = OffHeap.f32(x + (long) i * Float.BYTES);
            sum = Math.fma(value, value, sum);
        }
        return sum;
    }

    @Override
    public void normalize(long x, long weight, int n, float sumOfSquares, float epsilon, long y) {
        definition.normalize(x, weight, n, sumOfSquares, epsilon, y);
    }

    @Override
    public void add(long x, long y, int n) {
        definition.add(x, y, n);
    }

    @Override
    public void gate(long gate, long up, int n) {
        definition.gate(gate, up, n);
    }

    @Override
    public void rotate(long x, long turn, int pairs) {
        definition.rotate(x, turn, pairs);
    }

    @Override
    public void attend(
            KvPool pool,
            int layer,
            int[] blockTable,
            int kvHead,
            int position,
            int tokens,
            int group,
            long q,
            long qStride,
            long y,
            long yStride,
            long scratch) {
        definition.attend(pool, layer, blockTable, kvHead, position, tokens, group, q, qStride, y, yStride, scratch);
    }
}

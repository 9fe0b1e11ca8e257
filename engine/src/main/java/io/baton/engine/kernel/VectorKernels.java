package io.baton.engine.kernel;

import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import java.util.function.LongSupplier;
import jdk.incubator.vector.FloatVector;

/**
 * {@link Kernels} with the Java Vector API, in vectors as wide as the machine's registers; always there, the same bits
 * as the scalar ones.
 */
public final class VectorKernels implements Kernels {

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public void warmUp(LongSupplier nanoClock, long patienceNanos) {
        VectorWarmup.run(this, nanoClock, patienceNanos);
    }

    @Override
    public long scratchBytes(int headDim, int group) {
        return Math.max(QuantisedProducts.SCRATCH_BYTES, VectorAttention.scratchBytes(headDim, group));
    }

    @Override
    public long roundedBytes(MatrixFormat format, int columns) {
        return VectorRounding.bytes(format, columns);
    }

    @Override
    public void round(MatrixFormat format, long x, int columns, long rounded) {
        switch (format.activations()) {
            case F32 -> OffHeap.copy(x, rounded, OffHeap.rowBytes(columns));
            case BF16 -> VectorRounding.bf16(x, columns, rounded);
            case Q8 -> VectorRounding.q8(x, columns, rounded);
        }
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
        long stride = roundedBytes(matrix.format(), matrix.columns());
        switch (matrix.format()) {
            case F32 -> VectorProducts.f32(matrix, fromPanel, toPanel, rounded, stride, rows, y, yStride);
            case BF16 -> VectorProducts.bf16(matrix, fromPanel, toPanel, rounded, stride, rows, y, yStride);
            default ->
                QuantisedProducts.product(matrix, fromPanel, toPanel, rounded, stride, rows, y, yStride, scratch);
        }
    }

    @Override
    public float sumOfSquares(long x, int n) {
        FloatVector a = Lanes.zero();
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        for (long at = x; at < x + OffHeap.rowBytes(n); at += Lanes.BYTES) {
            a = addSquares(a, at);
            if (Lanes.VECTORS > 1) {
                b = addSquares(b, at + Lanes.VECTOR_BYTES);
            }
            if (Lanes.VECTORS > 2) {
                c = addSquares(c, at + 2 * Lanes.VECTOR_BYTES);
                d = addSquares(d, at + 3 * Lanes.VECTOR_BYTES);
            }
        }
        return Lanes.tree(a, b, c, d);
    }

    private static FloatVector addSquares(FloatVector sum, long x) {
        FloatVector v = Lanes.load(x);
        return v.fma(v, sum);
    }

    @Override
    public void normalize(long x, long weight, int n, float sumOfSquares, float epsilon, long y) {
        float inverse = Arithmetic.inverseRoot(sumOfSquares, n, epsilon);
        for (long at = 0; at < OffHeap.rowBytes(n); at += Lanes.VECTOR_BYTES) {
            Lanes.store(y + at, Lanes.load(x + at).mul(inverse).mul(Lanes.load(weight + at)));
        }
    }

    @Override
    public void add(long x, long y, int n) {
        for (long at = 0; at < OffHeap.rowBytes(n); at += Lanes.VECTOR_BYTES) {
            Lanes.store(x + at, Lanes.load(x + at).add(Lanes.load(y + at)));
        }
    }

    @Override
    public void gate(long gate, long up, int n) {
        for (long at = 0; at < OffHeap.rowBytes(n); at += Lanes.VECTOR_BYTES) {
            FloatVector x = Lanes.load(gate + at);
            FloatVector silu = x.div(Lanes.exp(x.neg()).add(1f));
            Lanes.store(gate + at, silu.mul(Lanes.load(up + at)));
        }
    }

    @Override
    public void rotate(long x, long turn, int pairs) {
        int whole = pairs / Lanes.COUNT * Lanes.COUNT;
        long half = (long) pairs * Float.BYTES;
        for (long at = 0; at < (long) whole * Float.BYTES; at += Lanes.VECTOR_BYTES) {
            FloatVector low = Lanes.load(x + at);
            FloatVector high = Lanes.load(x + half + at);
            FloatVector cos = Lanes.load(turn + at);
            FloatVector sin = Lanes.load(turn + half + at);
            Lanes.store(x + at, low.fma(cos, high.mul(sin).neg()));
            Lanes.store(x + half + at, high.fma(cos, low.mul(sin)));
        }
        ScalarKernels.rotate(x, turn, pairs, whole);
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
        new VectorAttention(pool, layer, blockTable, kvHead, position, tokens, group, scratch)
                .attend(q, qStride, y, yStride);
    }
}

package io.baton.engine.forward;

import io.baton.engine.ModelShape;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;
import io.baton.engine.memory.OffHeap;
import io.baton.engine.model.LayerWeights;
import io.baton.engine.model.PackedModel;
import java.lang.foreign.Arena;

/** The rows a pass works on, off-heap, one buffer per role; sized once for the largest batch. */
final class Activations implements AutoCloseable {

    /** Rows whose logits are computed together. */
    static final int LOGIT_ROWS = 16;

    private final Arena arena = Arena.ofShared();

    /** Bytes between rows of the residual stream. */
    final long dimStride;

    final long queryStride;
    final long keyStride;
    final long hiddenStride;
    final long logitStride;

    final long residual;
    final long delta; // what is added to the residual next; between that, the normed row
    final long query;
    final long key;
    final long value;
    final long mixed; // attention's output
    final long gate;
    final long up;
    final long rounded; // input of the next product
    final long headInput; // one row: delta still holds what hidden() gives
    final long logits;

    private final long scratch;
    private final long scratchStride;

    Activations(PackedModel model, Kernels kernels, int threads, int maxRows) {
        ModelShape shape = model.shape();
        dimStride = OffHeap.rowBytes(shape.dim());
        queryStride = OffHeap.rowBytes(shape.heads() * shape.headDim());
        keyStride = OffHeap.rowBytes(shape.kvHeads() * shape.headDim());
        hiddenStride = OffHeap.rowBytes(shape.hiddenDim());
        logitStride = OffHeap.rowBytes(shape.vocabularySize());
        scratchStride = OffHeap.aligned(kernels.scratchBytes(shape.headDim(), shape.heads() / shape.kvHeads()));

        residual = rows(maxRows, dimStride);
        delta = rows(maxRows, dimStride);
        query = rows(maxRows, queryStride);
        key = rows(maxRows, keyStride);
        value = rows(maxRows, keyStride);
        mixed = rows(maxRows, queryStride);
        gate = rows(maxRows, hiddenStride);
        up = rows(maxRows, hiddenStride);
        rounded = rows(Math.max(maxRows, LOGIT_ROWS), roundedBytes(model, kernels));
        headInput = rows(1, dimStride);
        logits = rows(LOGIT_ROWS, logitStride);
        scratch = rows(threads, scratchStride);
    }

    static long bytes(PackedModel model, Kernels kernels, int threads, int maxRows) {
        ModelShape shape = model.shape();
        int queries = shape.heads() * shape.headDim();
        int keys = shape.kvHeads() * shape.headDim();
        long row = 2 * OffHeap.rowBytes(shape.dim())
                + 2 * OffHeap.rowBytes(queries)
                + 2 * OffHeap.rowBytes(keys)
                + 2 * OffHeap.rowBytes(shape.hiddenDim())
                + roundedBytes(model, kernels);
        return maxRows * row
                + LOGIT_ROWS * (OffHeap.rowBytes(shape.vocabularySize()) + roundedBytes(model, kernels))
                + threads * kernels.scratchBytes(shape.headDim(), shape.heads() / shape.kvHeads());
    }

    long scratch(int worker) {
        return scratch + worker * scratchStride;
    }

    private long rows(int count, long stride) {
        return arena.allocate(count * stride, OffHeap.ALIGNMENT).address();
    }

    private static long roundedBytes(PackedModel model, Kernels kernels) {
        long most = of(model.head(), kernels);
        for (LayerWeights layer : model.layers()) {
            for (PackedMatrix matrix : new PackedMatrix[] {layer.query(), layer.output(), layer.gate(), layer.down()}) {
                most = Math.max(most, of(matrix, kernels));
            }
        }
        return most;
    }

    private static long of(PackedMatrix matrix, Kernels kernels) {
        MatrixFormat format = matrix.format();
        return OffHeap.aligned(kernels.roundedBytes(format, matrix.columns()));
    }

    @Override
    public void close() {
        arena.close();
    }
}

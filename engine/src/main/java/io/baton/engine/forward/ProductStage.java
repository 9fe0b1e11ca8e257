package io.baton.engine.forward;

import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;

/**
 * Products of one rounded input with up to three matrices, cut into pieces of 64 output rows. With few input rows each
 * worker reads one contiguous stretch of weights, which is what memory bandwidth likes; with many, pieces are taken one by
 * one, which evens out a noisy host.
 */
final class ProductStage {

    private static final int PIECE_PANELS = 4;
    private static final int FEW_ROWS = 4;
    private static final int MOST_MATRICES = 3;

    private final Kernels kernels;
    private final Activations memory;
    private final PackedMatrix[] matrices = new PackedMatrix[MOST_MATRICES];
    private final long[] outputs = new long[MOST_MATRICES];
    private final long[] strides = new long[MOST_MATRICES];
    private final int[] firstPiece = new int[MOST_MATRICES + 1];
    private int count;
    private int rows;
    private long work;
    private final ComputeTeam.Task onePiece = (piece, worker) -> run(piece, piece + 1, worker);
    private final ComputeTeam.Range stretch = this::run;

    ProductStage(Kernels kernels, Activations memory) {
        this.kernels = kernels;
        this.memory = memory;
    }

    /** Begins a stage over the first {@code rows} rounded rows. */
    ProductStage over(int rows) {
        this.rows = rows;
        count = 0;
        work = 0;
        return this;
    }

    /** Adds a matrix; all of a stage have the same number of columns, hence the same format. */
    ProductStage with(PackedMatrix matrix, long output, long stride) {
        matrices[count] = matrix;
        outputs[count] = output;
        strides[count] = stride;
        firstPiece[count + 1] = firstPiece[count] + Math.ceilDiv(matrix.panelCount(), PIECE_PANELS);
        count++;
        work += (long) rows * matrix.rows() * matrix.columns();
        return this;
    }

    void run(ComputeTeam team) {
        if (rows <= FEW_ROWS) {
            team.forRanges(firstPiece[count], work, stretch);
        } else {
            team.forEach(firstPiece[count], work, onePiece);
        }
    }

    private void run(int from, int to, int worker) {
        for (int i = 0; i < count; i++) {
            int begin = Math.max(from, firstPiece[i]) - firstPiece[i];
            int end = Math.min(to, firstPiece[i + 1]) - firstPiece[i];
            if (begin < end) {
                PackedMatrix matrix = matrices[i];
                int fromPanel = begin * PIECE_PANELS;
                int toPanel = Math.min(end * PIECE_PANELS, MatrixFormat.panels(matrix.rows()));
                kernels.product(
                        matrix, fromPanel, toPanel, memory.rounded, rows, outputs[i], strides[i], memory.scratch(worker));
            }
        }
    }
}

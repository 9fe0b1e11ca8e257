package io.baton.engine.forward;

import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;

/**
 * Products of one rounded input with up to three matrices, cut into strips of 64 output rows. With few input rows each
 * worker reads one contiguous stretch of weights, which is what memory bandwidth likes; with many, workers take a few
 * strips at a time, as they get free, which evens out a noisy host.
 */
final class ProductStage {

    private static final int STRIP_PANELS = 4;
    private static final int FEW_ROWS = 4;
    private static final int MOST_MATRICES = 3;

    /** Pieces per worker: more of them even out better, but each reads the input again. */
    private static final int PIECES = 4;

    private final Kernels kernels;
    private final Activations memory;
    private final PackedMatrix[] matrices = new PackedMatrix[MOST_MATRICES];
    private final long[] outputs = new long[MOST_MATRICES];
    private final long[] strides = new long[MOST_MATRICES];
    private final int[] firstStrip = new int[MOST_MATRICES + 1];
    private int count;
    private int rows;
    private long work;
    private int pieceStrips;
    private final ComputeTeam.Range stretch = this::run;
    private final ComputeTeam.Task piece = this::runPiece;

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

    /** Adds a matrix; all of a stage have the same number of columns, hence round activations the same way. */
    ProductStage with(PackedMatrix matrix, long output, long stride) {
        matrices[count] = matrix;
        outputs[count] = output;
        strides[count] = stride;
        firstStrip[count + 1] = firstStrip[count] + Math.ceilDiv(matrix.panelCount(), STRIP_PANELS);
        count++;
        work += (long) rows * matrix.rows() * matrix.columns();
        return this;
    }

    void run(ComputeTeam team) {
        int strips = firstStrip[count];
        if (rows <= FEW_ROWS) {
            team.forRanges(strips, work, stretch);
        } else {
            pieceStrips = Math.ceilDiv(strips, PIECES * team.threads());
            team.forEach(Math.ceilDiv(strips, pieceStrips), work, piece);
        }
    }

    private void runPiece(int index, int worker) {
        run(index * pieceStrips, Math.min((index + 1) * pieceStrips, firstStrip[count]), worker);
    }

    private void run(int from, int to, int worker) {
        for (int i = 0; i < count; i++) {
            int begin = Math.max(from, firstStrip[i]) - firstStrip[i];
            int end = Math.min(to, firstStrip[i + 1]) - firstStrip[i];
            if (begin < end) {
                PackedMatrix matrix = matrices[i];
                int fromPanel = begin * STRIP_PANELS;
                int toPanel = Math.min(end * STRIP_PANELS, MatrixFormat.panels(matrix.rows()));
                kernels.product(
                        matrix,
                        fromPanel,
                        toPanel,
                        memory.rounded,
                        rows,
                        outputs[i],
                        strides[i],
                        memory.scratch(worker));
            }
        }
    }
}

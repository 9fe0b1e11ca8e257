package io.baton.engine.kernel;

import io.baton.engine.KvType;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Runs every vector kernel on made-up operands until the JIT has compiled them: before that they are hundreds of times
 * slower, and the first request would pay for it.
 */
final class VectorWarmup {

    private static final int ROWS = 5; // a tile and a single row
    private static final int OUTPUTS = 80; // a strip and a single panel
    private static final int COLUMNS = 512;
    private static final int HEAD_DIM = 80;
    private static final int GROUP = 2;
    private static final int POSITION = 300; // more than one segment
    private static final int STEADY = 8; // this part of the patience without a gain is enough
    private static final double CLEARLY_FASTER = 0.8;

    private final Kernels kernels;
    private final Arena memory = Arena.ofConfined();
    private final List<PackedMatrix> matrices = new ArrayList<>();
    private final List<KvPool> pools = new ArrayList<>();
    private final long x = allocate(ROWS * OffHeap.rowBytes(COLUMNS));
    private final long y = allocate(ROWS * OffHeap.rowBytes(COLUMNS));
    private final long scratch;
    private final long rounded;

    private VectorWarmup(Kernels kernels) {
        this.kernels = kernels;
        this.scratch = allocate(kernels.scratchBytes(HEAD_DIM, GROUP));
        this.rounded = allocate(ROWS * kernels.roundedBytes(MatrixFormat.Q8, COLUMNS));
        for (MatrixFormat format : MatrixFormat.values()) {
            matrices.add(PackedMatrix.allocate(format, OUTPUTS, COLUMNS, memory));
        }
        for (KvType type : KvType.values()) {
            pools.add(KvPool.allocate(new KvLayout(type, 128, 1, HEAD_DIM), 1, 3));
        }
    }

    /** Returns when rounds have become steadily fast, or after {@code patienceNanos}. */
    static void run(Kernels kernels, LongSupplier nanoClock, long patienceNanos) {
        VectorWarmup warmup = new VectorWarmup(kernels);
        try {
            warmup.untilSteady(nanoClock, patienceNanos);
        } finally {
            warmup.pools.forEach(KvPool::close);
            warmup.memory.close();
        }
    }

    private void untilSteady(LongSupplier nanoClock, long patienceNanos) {
        long start = nanoClock.getAsLong();
        long best = Long.MAX_VALUE;
        long gained = start; // when a round was clearly faster than all before: compilation may go on
        for (long now = start; now - start < patienceNanos && now - gained < patienceNanos / STEADY; ) {
            round();
            long end = nanoClock.getAsLong();
            if (end - now < best * CLEARLY_FASTER) {
                gained = end;
            }
            best = Math.min(best, end - now);
            now = end;
        }
    }

    private void round() {
        for (PackedMatrix matrix : matrices) {
            long stride = kernels.roundedBytes(matrix.format(), COLUMNS);
            for (int row = 0; row < ROWS; row++) {
                kernels.round(matrix.format(), x, COLUMNS, rounded + row * stride);
            }
            kernels.product(matrix, 0, matrix.panelCount(), rounded, ROWS, y, OffHeap.rowBytes(OUTPUTS), scratch);
            kernels.product(matrix, 0, matrix.panelCount(), rounded, 1, y, OffHeap.rowBytes(OUTPUTS), scratch);
        }
        for (KvPool pool : pools) {
            long stride = OffHeap.rowBytes(GROUP * HEAD_DIM);
            kernels.attend(pool, 0, new int[] {0, 1, 2}, 0, POSITION, 3, GROUP, x, stride, y, stride, scratch);
            kernels.attend(pool, 0, new int[] {0, 1, 2}, 0, POSITION, 1, 1, x, stride, y, stride, scratch);
        }
        kernels.normalize(x, x, COLUMNS, kernels.sumOfSquares(x, COLUMNS), 1, y);
        kernels.add(x, y, COLUMNS);
        kernels.gate(x, y, COLUMNS);
        kernels.rotate(x, y, HEAD_DIM / 2);
    }

    private long allocate(long bytes) {
        return memory.allocate(bytes, OffHeap.ALIGNMENT).address();
    }
}

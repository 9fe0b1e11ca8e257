package io.baton.engine.kernel;

import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;

/** The definition of {@link Kernels} in plain Java, one output at a time. */
public final class ScalarKernels implements Kernels {

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public long scratchBytes(int headDim, int group) {
        return ScalarAttention.scratchBytes(headDim);
    }

    /** Every format's row is f32; q8 has whole numbers, and the groups' scales after them. */
    @Override
    public long roundedBytes(MatrixFormat format, int columns) {
        return switch (format.activations()) {
            case F32 -> OffHeap.rowBytes(columns);
            case BF16 -> OffHeap.rowBytes(columns + columns % 2);
            case Q8 -> OffHeap.rowBytes(columns) + OffHeap.rowBytes(columns / MatrixFormat.GROUP);
        };
    }

    @Override
    public void round(MatrixFormat format, long x, int columns, long rounded) {
        switch (format.activations()) {
            case F32 -> {
                for (int k = 0; k < columns; k++) {
                    put(rounded, k, get(x, k));
                }
            }
            case BF16 -> {
                for (int k = 0; k < columns; k++) {
                    put(rounded, k, Arithmetic.roundedToBf16(get(x, k)));
                }
                if (columns % 2 != 0) {
                    put(rounded, columns, 0);
                }
            }
            case Q8 -> {
                long scales = rounded + OffHeap.rowBytes(columns);
                for (int first = 0; first < columns; first += MatrixFormat.GROUP) {
                    float scale = Arithmetic.q8Scale(KvRows.largest(at(x, first), MatrixFormat.GROUP));
                    float inverse = Arithmetic.q8Inverse(scale);
                    put(scales, first / MatrixFormat.GROUP, scale);
                    for (int k = first; k < first + MatrixFormat.GROUP; k++) {
                        put(rounded, k, Arithmetic.q8Value(get(x, k), inverse));
                    }
                }
            }
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
        long rowBytes = roundedBytes(matrix.format(), matrix.columns());
        for (int r = 0; r < rows; r++) {
            long x = rounded + r * rowBytes;
            for (int panel = fromPanel; panel < toPanel; panel++) {
                for (int lane = 0; lane < MatrixFormat.PANEL_ROWS; lane++) {
                    float sum = switch (matrix.format()) {
                        case F32 -> f32Dot(matrix.panel(panel), lane, x, matrix.columns());
                        case BF16 -> bf16Dot(matrix.panel(panel), lane, x, matrix.columns());
                        default ->
                            quantisedDot(matrix.format().block(), matrix.panel(panel), lane, x, matrix.columns());
                    };
                    put(y + r * yStride, panel * MatrixFormat.PANEL_ROWS + lane, sum);
                }
            }
        }
    }

    static float f32Dot(long panel, int lane, long x, int columns) {
        float acc = 0;
        for (int k = 0; k < columns; k++) {
            acc = Math.fma(get(panel, k * MatrixFormat.PANEL_ROWS + lane), get(x, k), acc);
        }
        return acc;
    }

    static float bf16Dot(long panel, int lane, long x, int columns) {
        float acc = 0;
        for (int k = 0; k < columns; k += 2) {
            long pair = panel + (long) k * MatrixFormat.PANEL_ROWS * Short.BYTES + (long) lane * Integer.BYTES;
            acc = Math.fma(Arithmetic.fromBf16(OffHeap.s16(pair + Short.BYTES)), get(x, k + 1), acc);
            acc = Math.fma(Arithmetic.fromBf16(OffHeap.s16(pair)), get(x, k), acc);
        }
        return acc;
    }

    private static float quantisedDot(PanelBlock block, long panel, int lane, long x, int columns) {
        float acc = 0;
        long scales = x + OffHeap.rowBytes(columns);
        int run = block.scaleColumns();
        for (int group = 0; group < columns / MatrixFormat.GROUP; group++) {
            float xScale = get(scales, group);
            int end = (group + 1) * MatrixFormat.GROUP;
            int xSum = 0;
            for (int first = group * MatrixFormat.GROUP; first < end; first += run) {
                int sum = 0;
                for (int k = first; k < first + run; k++) {
                    sum += block.weight(panel, k, lane) * (int) get(x, k);
                    xSum += (int) get(x, k);
                }
                acc = Math.fma((float) sum, block.scale(panel, first, lane) * xScale, acc);
            }
            if (block.scales().offsets()) {
                acc = Math.fma(block.offset(panel, group, lane), xSum * xScale, acc);
            }
        }
        return acc;
    }

    @Override
    public float sumOfSquares(long x, int n) {
        float[] lanes = new float[Arithmetic.LANES];
        for (int i = 0; i < n; i++) {
            int lane = i % Arithmetic.LANES;
            lanes[lane] = Math.fma(get(x, i), get(x, i), lanes[lane]);
        }
        return Arithmetic.tree(lanes);
    }

    @Override
    public void normalize(long x, long weight, int n, float sumOfSquares, float epsilon, long y) {
        float inverse = Arithmetic.inverseRoot(sumOfSquares, n, epsilon);
        for (int i = 0; i < n; i++) {
            put(y, i, get(x, i) * inverse * get(weight, i));
        }
    }

    @Override
    public void add(long x, long y, int n) {
        for (int i = 0; i < n; i++) {
            put(x, i, get(x, i) + get(y, i));
        }
    }

    @Override
    public void gate(long gate, long up, int n) {
        for (int i = 0; i < n; i++) {
            put(gate, i, Arithmetic.silu(get(gate, i)) * get(up, i));
        }
    }

    @Override
    public void rotate(long x, long turn, int pairs) {
        rotate(x, turn, pairs, 0);
    }

    /** Rotates pairs {@code [from, pairs)}. */
    static void rotate(long x, long turn, int pairs, int from) {
        for (int i = from; i < pairs; i++) {
            float low = get(x, i);
            float high = get(x, i + pairs);
            float cos = get(turn, i);
            float sin = get(turn, i + pairs);
            put(x, i, Math.fma(low, cos, -(high * sin)));
            put(x, i + pairs, Math.fma(high, cos, low * sin));
        }
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
        ScalarAttention attention = new ScalarAttention(pool, layer, blockTable, kvHead, scratch);
        long headBytes = (long) pool.layout().headDim() * Float.BYTES;
        for (int t = 0; t < tokens; t++) {
            for (int head = 0; head < group; head++) {
                attention.attend(
                        q + t * qStride + head * headBytes, position + t + 1, y + t * yStride + head * headBytes);
            }
        }
    }

    private static long at(long x, int i) {
        return x + (long) i * Float.BYTES;
    }

    private static float get(long x, int i) {
        return OffHeap.f32(at(x, i));
    }

    private static void put(long x, int i, float value) {
        OffHeap.f32(at(x, i), value);
    }
}

package io.baton.engine.kernel;

import io.baton.engine.memory.KvPool;
import java.util.function.LongSupplier;

/**
 * The arithmetic of a decoder model, defined to the bit. A result is a function of its operands alone: how many rows
 * are computed together, which thread computes them, how a chunk is cut and how K and V are paged never shows. Every
 * provider gives these bits; {@link ScalarKernels} spells them out. All operations are IEEE f32, round to nearest even;
 * an FMA rounds once.
 *
 * <p><b>Products</b> {@code y[r][n] = Σ_k W[n][k] x[r][k]}: one accumulator per output, from +0, in ascending k, never
 * split. Blocking by k stores and reloads that accumulator.
 *
 * <ul>
 *   <li>F32: {@code acc = fma(W, x, acc)} per k.
 *   <li>BF16: x is rounded to bf16 ({@link Arithmetic#bf16}: to nearest even, magnitudes below 2^-55 to +0); per pair
 *       of columns, the FMA of the odd one, then of the even one. An odd number of columns is padded with zeros.
 *   <li>Quantised: a weight is {@code scale * w}, or {@code scale * w + offset}, with a small integer w. The formats
 *       differ in where w, scale and offset come from ({@link MatrixFormat}, {@link PanelBlock}); all three are exact
 *       in f32, nested scales too. x is cut into groups of 32; {@code largest = max |x|}, {@code xScale = largest /
 *       127} (0 when largest is below 2^-110), {@code inverse = 1 / xScale} (0 when xScale is 0), {@code q = nearest(x
 *       * inverse)}, ties to even. Per group, and per half of it where halves have scales (Q6_K): {@code acc =
 *       fma((float) Σ w·q, scale * xScale, acc)} with the exact integer sum, which stays below 2^24; then, in formats
 *       with offsets, {@code acc = fma(offset, (float) Σ q * xScale, acc)}.
 * </ul>
 *
 * <p><b>Row reductions</b>: element i goes to lane i mod 16 in ascending i; then lanes 8 apart are added, 4, 2, 1
 * apart. RMSNorm: lanes take {@code fma(x, x, lane)}; {@code y = (x * (1 / sqrt(sum / n + epsilon))) * weight}, where
 * division and square root are IEEE's.
 *
 * <p><b>Rotation</b> of the pair (low, high) by (cos, sin): {@code low' = fma(low, cos, -(high * sin))}, {@code high' =
 * fma(high, cos, low * sin)}. A head's pairs are elements i and i + pairs.
 *
 * <p><b>Attention</b> of one query row at position t over one KV head, visible keys 0 … t, all read from the pool. The
 * query is multiplied by {@code (float) (1 / sqrt(headDim))}. Keys are cut into segments of 256 absolute positions. A
 * segment:
 *
 * <ol>
 *   <li>scores by the K type. f32: FMA per dimension, ascending, from +0. bf16: the scaled query rounded to bf16, pairs
 *       as in a product. q8: the scaled query quantised like one group of headDim values; {@code score = (float) Σ K·q
 *       * (keyScale * queryScale)}.
 *   <li>{@code m = max(score)}; {@code p = exp(score - m)}; {@code l} = the row reduction of p by addition, key j in
 *       lane j mod 16.
 *   <li>{@code a[d]} from +0 in ascending key by the V type. f32: {@code fma(V, p, a)}. bf16: p rounded to bf16 (l is
 *       not), pairs of keys, odd first; q8: {@code fma((float) V, p * valueScale, a)}. Keys that are not visible take
 *       no part.
 * </ol>
 *
 * Segments merge from left to right: with {@code M' = max(M, m)}, {@code f = exp(M - M')}, {@code g = exp(m - M')}:
 * {@code L' = fma(L, f, l * g)}, {@code A' = fma(A, f, a * g)}. The result is {@code A / L}.
 *
 * <p><b>Memory.</b> Addresses are of off-heap memory. A row of n f32 occupies {@code OffHeap.rowBytes(n)}: kernels may
 * read the padding, which is zero, and write zeros to it. A non-finite value makes every result that depends on it
 * non-finite (its bits are then not defined) and no other.
 */
public interface Kernels {

    /** Absolute positions per attention segment. */
    int SEGMENT = 256;

    /**
     * Query rows (tokens times heads) that one {@link #attend} takes; one token's heads always. Whole tiles of six rows
     * and of four, and few enough that their scores stay in the first cache.
     */
    int ATTENTION_ROWS = 24;

    String name();

    /** Gets over a slow start, if there is one, within about {@code patienceNanos}. */
    default void warmUp(LongSupplier nanoClock, long patienceNanos) {}

    /** Scratch memory that {@link #product} and {@link #attend} of a model with these heads need. */
    long scratchBytes(int headDim, int group);

    /** Bytes of one row of activations after {@link #round}; a provider's own layout. */
    long roundedBytes(MatrixFormat format, int columns);

    /** Rounds a row of activations to what a product with {@code format} reads. */
    void round(MatrixFormat format, long x, int columns, long rounded);

    /**
     * The outputs of panels {@code [fromPanel, toPanel)} for {@code rows} rounded rows, which lie {@link #roundedBytes}
     * apart; outputs of a row of {@code y} lie {@code yStride} bytes after those of the row before.
     */
    void product(
            PackedMatrix matrix,
            int fromPanel,
            int toPanel,
            long rounded,
            int rows,
            long y,
            long yStride,
            long scratch);

    /** The values of one row of a matrix, exactly. */
    default void row(PackedMatrix matrix, int row, long y) {
        PanelRow.read(matrix, row, y);
    }

    float sumOfSquares(long x, int n);

    /** RMSNorm, given the row's {@link #sumOfSquares}. */
    void normalize(long x, long weight, int n, float sumOfSquares, float epsilon, long y);

    /** {@code x += y}. */
    void add(long x, long y, int n);

    /** {@code gate = silu(gate) * up}, with {@code silu(x) = x / (1 + exp(-x))}. */
    void gate(long gate, long up, int n);

    /** Rotates {@code 2 * pairs} values in place; {@code turn} holds the cosines of all pairs, then the sines. */
    void rotate(long x, long turn, int pairs);

    /**
     * Attention of consecutive tokens' query heads over their KV head. Heads of a token lie headDim values apart in
     * {@code q} and in {@code y}, tokens {@code qStride} and {@code yStride} bytes.
     *
     * @param blockTable the sequence's blocks in {@code pool}, covering all tokens
     * @param position absolute position of the first token
     * @param tokens at most {@link #ATTENTION_ROWS} / group, or 1
     * @param group query heads per KV head
     */
    void attend(
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
            long scratch);
}

package io.baton.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.ActivationMode;
import io.baton.engine.KvType;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Compares a provider with the definition, bit by bit, on shapes and values drawn from a seed. */
final class Differential {

    private static final Kernels DEFINITION = new ScalarKernels();

    private static final float[] BF16_EDGES = {
        1 + 0x1p-8f,
        1 + 3 * 0x1p-8f,
        -1 - 0x1.8p-8f,
        0x1p-55f,
        -0x1.fffffep-56f,
        Float.MIN_VALUE,
        -Float.MIN_NORMAL,
        0x1.fep127f,
        0x1.fefffep127f,
        Float.MAX_VALUE,
        Float.NEGATIVE_INFINITY,
        Float.NaN,
        Float.intBitsToFloat(0x7f800001),
        -0f
    };

    private final Kernels kernels;

    Differential(Kernels kernels) {
        this.kernels = kernels;
    }

    void all(long seed) {
        for (MatrixFormat format : MatrixFormat.values()) {
            product(format, seed);
        }
        bf16(seed);
        elementwise(seed);
        for (KvType type : KvType.values()) {
            attention(type, seed);
        }
    }

    void product(MatrixFormat format, long seed) {
        Random random = new Random(seed);
        int n = 1 + random.nextInt(150);
        int k = columns(format, random);
        int rows = 1 + random.nextInt(random.nextInt(4) == 0 ? 40 : 11); // some beyond whole tiles
        int fromPanel = random.nextInt(MatrixFormat.panels(n));
        try (TestingMemory memory = new TestingMemory()) {
            PackedMatrix matrix = memory.matrix(format, random, n, k);
            float[][] x = TestingMemory.matrix(random, rows, k);
            float[] expected = product(DEFINITION, matrix, fromPanel, x, memory);
            float[] found = product(kernels, matrix, fromPanel, x, memory);
            same(found, expected, "%s product [%d, %d] x %d, panels from %d".formatted(format, n, k, rows, fromPanel));
        }
    }

    private static int columns(MatrixFormat format, Random random) {
        if (format.activations() != ActivationMode.Q8) {
            return 1 + random.nextInt(1300);
        }
        int block = TestingBlocks.blockColumns(format);
        return block * (1 + random.nextInt(1280 / block));
    }

    private static float[] product(
            Kernels kernels, PackedMatrix matrix, int fromPanel, float[][] x, TestingMemory memory) {
        long rowBytes = kernels.roundedBytes(matrix.format(), matrix.columns());
        long rounded = memory.bytes(rowBytes * x.length);
        for (int i = 0; i < x.length; i++) {
            kernels.round(matrix.format(), memory.row(x[i]), matrix.columns(), rounded + i * rowBytes);
        }
        int outputs = matrix.panelCount() * MatrixFormat.PANEL_ROWS;
        long stride = OffHeap.rowBytes(outputs);
        long y = memory.bytes(stride * x.length);
        long scratch = memory.bytes(kernels.scratchBytes(64, 1));
        kernels.product(matrix, fromPanel, matrix.panelCount(), rounded, x.length, y, stride, scratch);
        return TestingMemory.read(y, outputs * x.length);
    }

    /** Single numbers times one, which is how they are rounded: ties, ends of the range, random bits. */
    void bf16(long seed) {
        Random random = new Random(seed);
        float[][] x = new float[BF16_EDGES.length + 24][1];
        for (int row = 0; row < x.length; row++) {
            x[row][0] = row < BF16_EDGES.length ? BF16_EDGES[row] : Float.intBitsToFloat(random.nextInt());
        }
        try (TestingMemory memory = new TestingMemory()) {
            PackedMatrix one = memory.matrix(MatrixFormat.BF16, new float[][] {{1}});
            same(product(kernels, one, 0, x, memory), product(DEFINITION, one, 0, x, memory), "bf16 of seed " + seed);
        }
    }

    void elementwise(long seed) {
        Random random = new Random(seed);
        int n = 1 + random.nextInt(300);
        float[] a = TestingMemory.values(random, n);
        float[] b = TestingMemory.values(random, n);
        int pairs = 1 + random.nextInt(70);
        float[] heads = TestingMemory.values(random, 2 * pairs);
        float[] turn = TestingMemory.values(random, 2 * pairs);
        try (TestingMemory memory = new TestingMemory()) {
            float[] squares = {kernels.sumOfSquares(memory.row(a), n)};
            same(squares, new float[] {DEFINITION.sumOfSquares(memory.row(a), n)}, "sum of squares of " + n);
            same(normalized(kernels, a, b, memory), normalized(DEFINITION, a, b, memory), "norm of " + n);
            same(sum(kernels, a, b, memory), sum(DEFINITION, a, b, memory), "sum of " + n);
            same(gated(kernels, a, b, memory), gated(DEFINITION, a, b, memory), "gate of " + n);
            same(
                    rotated(kernels, heads, turn, memory),
                    rotated(DEFINITION, heads, turn, memory),
                    "rotation of " + pairs);
        }
    }

    private static float[] normalized(Kernels kernels, float[] x, float[] weight, TestingMemory memory) {
        long y = memory.row(new float[x.length]);
        float sum = kernels.sumOfSquares(memory.row(x), x.length);
        kernels.normalize(memory.row(x), memory.row(weight), x.length, sum, 1e-5f, y);
        return TestingMemory.read(y, x.length);
    }

    private static float[] sum(Kernels kernels, float[] x, float[] y, TestingMemory memory) {
        long row = memory.row(x);
        kernels.add(row, memory.row(y), x.length);
        return TestingMemory.read(row, x.length);
    }

    private static float[] gated(Kernels kernels, float[] gate, float[] up, TestingMemory memory) {
        long row = memory.row(gate);
        kernels.gate(row, memory.row(up), gate.length);
        return TestingMemory.read(row, gate.length);
    }

    private static float[] rotated(Kernels kernels, float[] heads, float[] turn, TestingMemory memory) {
        long row = memory.row(heads);
        kernels.rotate(row, memory.row(turn), turn.length / 2);
        return TestingMemory.read(row, heads.length);
    }

    void attention(KvType type, long seed) {
        Random random = new Random(seed);
        int headDim = 1 + random.nextInt(140);
        int kvHeads = 1 + random.nextInt(3);
        int group = 1 + random.nextInt(9);
        int blockTokens = 16 << random.nextInt(4);
        int tokens = 1 + random.nextInt(Math.max(1, Kernels.ATTENTION_ROWS / group));
        int position = random.nextInt(700);
        KvLayout layout = new KvLayout(type, blockTokens, kvHeads, headDim);
        int[] table = shuffledBlocks(random, Math.ceilDiv(position + tokens, blockTokens));
        try (TestingMemory memory = new TestingMemory();
                KvPool pool = KvPool.allocate(layout, 2, table.length)) {
            for (int token = 0; token < position + tokens; token++) {
                long k = memory.row(TestingMemory.values(random, kvHeads * headDim));
                long v = memory.row(TestingMemory.values(random, kvHeads * headDim));
                KvRows.store(pool, 1, table[token / blockTokens], token % blockTokens, k, v);
            }
            float[][] q = TestingMemory.matrix(random, tokens, group * headDim);
            int kvHead = random.nextInt(kvHeads);
            float[] expected = attended(DEFINITION, pool, table, kvHead, position, group, q, memory);
            float[] found = attended(kernels, pool, table, kvHead, position, group, q, memory);
            same(
                    found,
                    expected,
                    "attention over %s, group %d, %d tokens from %d".formatted(layout, group, tokens, position));
        }
    }

    static float[] attended(
            Kernels kernels,
            KvPool pool,
            int[] table,
            int kvHead,
            int position,
            int group,
            float[][] q,
            TestingMemory memory) {
        int width = q[0].length;
        long stride = OffHeap.rowBytes(width);
        long queries = memory.bytes(stride * q.length);
        long y = memory.bytes(stride * q.length);
        for (int i = 0; i < q.length; i++) {
            OffHeap.copy(q[i], width, queries + i * stride);
        }
        long scratch = memory.bytes(kernels.scratchBytes(pool.layout().headDim(), group));
        kernels.attend(pool, 1, table, kvHead, position, q.length, group, queries, stride, y, stride, scratch);
        float[] out = new float[q.length * width];
        for (int i = 0; i < q.length; i++) {
            System.arraycopy(TestingMemory.read(y + i * stride, width), 0, out, i * width, width);
        }
        return out;
    }

    static int[] shuffledBlocks(Random random, int count) {
        List<Integer> blocks = IntStream.range(0, count).boxed().collect(Collectors.toList());
        Collections.shuffle(blocks, random);
        return blocks.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Equal bit by bit; the two zeros differ, all NaN are one. */
    static void same(float[] found, float[] expected, String what) {
        int at = Arrays.mismatch(found, expected);
        assertThat(at)
                .as(() -> "%s: element %d is %s, expected %s".formatted(what, at, hex(found, at), hex(expected, at)))
                .isEqualTo(-1);
    }

    private static String hex(float[] values, int at) {
        return at < values.length ? Float.toHexString(values[at]) : "absent";
    }
}

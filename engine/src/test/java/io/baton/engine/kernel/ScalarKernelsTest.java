package io.baton.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.baton.engine.KvType;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The definition computes what it says it does, to the precision of its number formats. */
class ScalarKernelsTest {

    private final Kernels kernels = new ScalarKernels();

    @ParameterizedTest
    @CsvSource({"F32, 5e-6", "BF16, 0.02", "Q8, 0.04"})
    void aProductIsNearTheExactOne(MatrixFormat format, double relative) {
        Random random = new Random(1);
        for (int columns : new int[] {32, 96, 1024}) {
            float[][] weights = gaussian(random, 21, columns);
            float[] x = gaussian(random, 1, columns)[0];
            try (TestingMemory memory = new TestingMemory()) {
                PackedMatrix matrix = memory.matrix(format, weights);
                long rounded = memory.bytes(kernels.roundedBytes(format, columns));
                kernels.round(format, memory.row(x), columns, rounded);
                long y = memory.row(new float[32]);
                kernels.product(matrix, 0, 2, rounded, 1, y, 0, 0);
                for (int n = 0; n < 21; n++) {
                    double exact = 0;
                    for (int k = 0; k < columns; k++) {
                        exact += (double) weights[n][k] * x[k];
                    }
                    assertThat((double) TestingMemory.read(y, 21)[n])
                            .isCloseTo(exact, within(relative * Math.sqrt(columns)));
                }
                assertThat(TestingMemory.read(y + 21 * Float.BYTES, 11)).containsOnly(0);
            }
        }
    }

    /** Rounding an activation errs by half its group's scale at most; the rest of the product is exact to f32. */
    @ParameterizedTest
    @MethodSource("quantised")
    void aQuantisedProductIsNearThatOfItsValues(MatrixFormat format) {
        Random random = new Random(7);
        int columns = 1024;
        float[] x = gaussian(random, 1, columns)[0];
        try (TestingMemory memory = new TestingMemory()) {
            PackedMatrix matrix = memory.matrix(format, random, 21, columns);
            long rounded = memory.bytes(kernels.roundedBytes(format, columns));
            kernels.round(format, memory.row(x), columns, rounded);
            long y = memory.row(new float[32]);
            kernels.product(matrix, 0, 2, rounded, 1, y, 0, 0);
            long values = memory.row(new float[columns]);
            for (int n = 0; n < 21; n++) {
                kernels.row(matrix, n, values);
                double exact = 0;
                double bound = 0;
                for (int k = 0; k < columns; k++) {
                    float value = OffHeap.f32(values + (long) k * Float.BYTES);
                    float xScale = OffHeap.f32(rounded + OffHeap.rowBytes(columns) + k / 32 * (long) Float.BYTES);
                    exact += (double) value * x[k];
                    bound += Math.abs(value) * (xScale / 2 + 1e-5 * Math.abs(x[k]));
                }
                assertThat((double) TestingMemory.read(y, 21)[n]).isCloseTo(exact, within(bound));
            }
            assertThat(TestingMemory.read(y + 21 * Float.BYTES, 11)).containsOnly(0);
        }
    }

    static List<MatrixFormat> quantised() {
        return TestingBlocks.QUANTISED;
    }

    @ParameterizedTest
    @MethodSource("quantised")
    void aRowReadBackFromPanelsHasTheValuesOfItsBlocks(MatrixFormat format) {
        Random random = new Random(8);
        try (TestingMemory memory = new TestingMemory()) {
            for (int columns = 256; columns <= 1024; columns += 256) {
                PanelWriter writer = PanelWriter.of(format, 17, columns, memory.arena());
                QuantisedRow blocks = QuantisedRow.of(format, columns);
                float[] expected = new float[columns];
                for (int row = 0; row < 17; row++) {
                    blocks.read(MemorySegment.ofArray(TestingBlocks.row(format, random, columns)));
                    blocks.values(expected);
                    writer.quantised(row, blocks);
                    long y = memory.row(new float[columns]);
                    kernels.row(writer.matrix(), row, y);
                    Differential.same(TestingMemory.read(y, columns), expected, format + " row " + row);
                }
            }
        }
    }

    /** At the largest codes, scales and activations, a group's sum is the largest there can be. */
    @ParameterizedTest
    @MethodSource("quantised")
    void theLargestSumsAreExactInEveryProvider(MatrixFormat format) {
        float[] x = new float[256];
        for (int sign = -1; sign <= 1; sign += 2) {
            Arrays.fill(x, sign);
            for (int fill : new int[] {0xff, 0x80, 0x7f, 0}) {
                byte[] row = new byte[256 / TestingBlocks.blockColumns(format) * TestingBlocks.blockBytes(format)];
                Arrays.fill(row, (byte) fill);
                for (int block = 0; block < row.length; block += TestingBlocks.blockBytes(format)) {
                    for (int at : TestingBlocks.halves(format)) {
                        row[block + at] = 0;
                        row[block + at + 1] = 0x3c; // one
                    }
                }
                QuantisedRow blocks = QuantisedRow.of(format, 256);
                blocks.read(MemorySegment.ofArray(row));
                float[] values = new float[256];
                blocks.values(values);
                double exact = 0;
                for (float value : values) {
                    exact += (double) value * sign;
                }
                List<Kernels> providers = new ArrayList<>(NativeKernels.all());
                providers.add(kernels);
                providers.add(new VectorKernels());
                try (TestingMemory memory = new TestingMemory()) {
                    PanelWriter writer = PanelWriter.of(format, 1, 256, memory.arena());
                    writer.quantised(0, blocks);
                    for (Kernels provider : providers) {
                        for (int rows : new int[] {1, 7}) {
                            long rowBytes = provider.roundedBytes(format, 256);
                            long rounded = memory.bytes(rows * rowBytes);
                            for (int r = 0; r < rows; r++) {
                                provider.round(format, memory.row(x), 256, rounded + r * rowBytes);
                            }
                            long y = memory.bytes(rows * 64L);
                            long scratch = memory.bytes(provider.scratchBytes(16, 1));
                            provider.product(writer.matrix(), 0, 1, rounded, rows, y, 64, scratch);
                            for (int r = 0; r < rows; r++) {
                                assertThat((double) OffHeap.f32(y + r * 64L))
                                        .as("%s, bytes of %x, %d rows".formatted(provider.name(), fill, rows))
                                        .isCloseTo(exact, within(1e-6 * Math.max(1, Math.abs(exact))));
                            }
                        }
                    }
                }
            }
        }
    }

    @Test
    void packingAndReadingBackIsExactInF32AndNearestInTheOthers() {
        float[][] weights = gaussian(new Random(2), 19, 64);
        try (TestingMemory memory = new TestingMemory()) {
            for (MatrixFormat format : new MatrixFormat[] {MatrixFormat.F32, MatrixFormat.BF16, MatrixFormat.Q8}) {
                PackedMatrix matrix = memory.matrix(format, weights);
                for (int row = 0; row < 19; row++) {
                    long y = memory.row(new float[64]);
                    kernels.row(matrix, row, y);
                    float[] found = TestingMemory.read(y, 64);
                    for (int k = 0; k < 64; k++) {
                        float expected = weights[row][k];
                        switch (format) {
                            case F32 -> assertThat(found[k]).isEqualTo(expected);
                            case BF16 -> assertThat(found[k]).isEqualTo(Arithmetic.roundedToBf16(expected));
                            default -> assertThat(found[k]).isCloseTo(expected, within(0.02f));
                        }
                    }
                }
            }
        }
    }

    @Test
    void theExponentialIsRightToAUnitOrTwoAndNeverDenormal() {
        for (float x = -87; x <= 88; x += 0.00137f) {
            double exact = StrictMath.exp(x);
            assertThat((double) Arithmetic.exp(x)).isCloseTo(exact, within(1.5e-7 * exact));
        }
        assertThat(Arithmetic.exp(0)).isEqualTo(1);
        assertThat(Arithmetic.exp(-0f)).isEqualTo(1);
        assertThat(Arithmetic.exp(-87.01f)).isZero();
        assertThat(Arithmetic.exp(Float.NEGATIVE_INFINITY)).isZero();
        assertThat(Arithmetic.exp(1e30f)).isEqualTo(Arithmetic.exp(88)).isFinite();
        assertThat(Arithmetic.exp(Float.NaN)).isNaN();
    }

    @Test
    void roundingToBf16GoesToNearestEvenAndFlushesTheTiny() {
        assertThat(Arithmetic.roundedToBf16(1 + 0x1p-8f)).isEqualTo(1); // a tie, down to even
        assertThat(Arithmetic.roundedToBf16(1 + 3 * 0x1p-8f)).isEqualTo(1 + 0x1p-6f); // a tie, up to even
        assertThat(Arithmetic.roundedToBf16(1 + 0x1.8p-8f)).isEqualTo(1 + 0x1p-7f);
        assertThat(Arithmetic.bf16(-0x1.fffffep-56f)).isZero();
        assertThat(Arithmetic.roundedToBf16(-0x1p-55f)).isEqualTo(-0x1p-55f);
        assertThat(Arithmetic.roundedToBf16(Float.NaN)).isNaN();
        assertThat(Arithmetic.roundedToBf16(Float.NEGATIVE_INFINITY)).isEqualTo(Float.NEGATIVE_INFINITY);
    }

    @ParameterizedTest
    @EnumSource
    void attentionIsNearTheExactOne(KvType type) {
        Random random = new Random(3);
        int headDim = 24;
        int keys = 600;
        float[][] k = gaussian(random, keys, headDim);
        float[][] v = gaussian(random, keys, headDim);
        float[][] q = gaussian(random, 1, headDim);
        try (TestingMemory memory = new TestingMemory();
                KvPool pool = KvPool.allocate(new KvLayout(type, 32, 1, headDim), 2, 20)) {
            int[] table = Differential.shuffledBlocks(random, 20);
            for (int i = 0; i < keys; i++) {
                KvRows.store(pool, 1, table[i / 32], i % 32, memory.row(k[i]), memory.row(v[i]));
            }
            float[] found = Differential.attended(kernels, pool, table, 0, keys - 1, 1, q, memory);
            double[] exact = exactAttention(q[0], k, v);
            for (int d = 0; d < headDim; d++) {
                assertThat((double) found[d]).isCloseTo(exact[d], within(type == KvType.F32 ? 1e-6 : 5e-3));
            }
        }
    }

    private static double[] exactAttention(float[] q, float[][] k, float[][] v) {
        double total = 0;
        double[] mixed = new double[q.length];
        for (int i = 0; i < k.length; i++) {
            double score = 0;
            for (int d = 0; d < q.length; d++) {
                score += (double) q[d] * k[i][d];
            }
            double weight = Math.exp(score / Math.sqrt(q.length));
            total += weight;
            for (int d = 0; d < q.length; d++) {
                mixed[d] += weight * v[i][d];
            }
        }
        for (int d = 0; d < q.length; d++) {
            mixed[d] /= total;
        }
        return mixed;
    }

    @ParameterizedTest
    @EnumSource
    void keysBeyondTheRowAreSkippedWhateverTheyHold(KvType type) {
        Random random = new Random(4);
        float[][] q = gaussian(random, 1, 20);
        float[] bad = new float[20];
        Arrays.fill(bad, Float.NaN);
        for (Kernels provider : new Kernels[] {kernels, new VectorKernels()}) {
            try (TestingMemory memory = new TestingMemory();
                    KvPool pool = KvPool.allocate(new KvLayout(type, 16, 1, 20), 2, 1)) {
                for (int i = 0; i < 5; i++) {
                    float[] ordinary = gaussian(random, 1, 20)[0];
                    KvRows.store(pool, 1, 0, i, memory.row(ordinary), memory.row(ordinary));
                }
                float[] before = Differential.attended(provider, pool, new int[1], 0, 4, 1, q, memory);
                for (int i = 5; i < 16; i++) {
                    KvRows.store(pool, 1, 0, i, memory.row(bad), memory.row(bad));
                }
                float[] after = Differential.attended(provider, pool, new int[1], 0, 4, 1, q, memory);
                Differential.same(after, before, provider.name());
                assertThat(Differential.attended(provider, pool, new int[1], 0, 5, 1, q, memory)[0])
                        .isNaN();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aValueThatIsNotFiniteSpoilsItsRowAndNoOther(MatrixFormat format) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (Kernels provider : new Kernels[] {kernels, new VectorKernels()}) {
                float[][] x = gaussian(new Random(5), 6, 256);
                x[2][40] = bad;
                try (TestingMemory memory = new TestingMemory()) {
                    PackedMatrix matrix = memory.matrix(format, new Random(6), 16, 256);
                    long rowBytes = provider.roundedBytes(format, 256);
                    long rounded = memory.bytes(6 * rowBytes);
                    for (int row = 0; row < 6; row++) {
                        provider.round(format, memory.row(x[row]), 256, rounded + row * rowBytes);
                    }
                    long y = memory.bytes(6 * 64);
                    provider.product(matrix, 0, 1, rounded, 6, y, 64, memory.bytes(provider.scratchBytes(16, 1)));
                    for (int row = 0; row < 6; row++) {
                        float value = OffHeap.f32(y + row * 64L);
                        assertThat(Float.isFinite(value)).isEqualTo(row != 2);
                    }
                }
            }
        }
    }

    private static float[][] gaussian(Random random, int rows, int columns) {
        float[][] values = new float[rows][columns];
        for (float[] row : values) {
            for (int i = 0; i < columns; i++) {
                row[i] = (float) random.nextGaussian();
            }
        }
        return values;
    }
}

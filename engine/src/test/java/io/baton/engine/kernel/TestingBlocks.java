package io.baton.engine.kernel;

import io.baton.engine.ActivationMode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Blocks of model files with random bits, and scales that are finite: ordinary, negative, zero, denormal or huge. */
public final class TestingBlocks {

    public static final List<MatrixFormat> QUANTISED = Arrays.stream(MatrixFormat.values())
            .filter(format -> format.activations() == ActivationMode.Q8)
            .toList();

    private TestingBlocks() {}

    /** A row of blocks. */
    public static byte[] row(MatrixFormat format, Random random, int columns) {
        int blockBytes = blockBytes(format);
        byte[] row = new byte[columns / blockColumns(format) * blockBytes];
        random.nextBytes(row);
        ByteBuffer bytes = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
        for (int block = 0; block < row.length; block += blockBytes) {
            for (int at : halves(format)) {
                bytes.putShort(block + at, scale(random));
            }
        }
        return row;
    }

    private static short scale(Random random) {
        float ordinary = (float) random.nextGaussian() * 0.01f;
        return Float.floatToFloat16(
                switch (random.nextInt(30)) {
                    case 0 -> 0f;
                    case 1 -> ordinary * 0x1p-12f; // denormal in f16
                    case 2 -> ordinary * 100;
                    case 3 -> -65504f;
                    default -> ordinary;
                });
    }

    public static int blockColumns(MatrixFormat format) {
        return format.block().scales().nested() ? 256 : 32;
    }

    public static int blockBytes(MatrixFormat format) {
        return switch (format) {
            case F32, BF16 -> throw new IllegalArgumentException(format + " has no blocks");
            case Q8 -> 34;
            case Q4_0, IQ4_NL -> 18;
            case Q4_1 -> 20;
            case Q5_0 -> 22;
            case Q5_1 -> 24;
            case Q4_K -> 144;
            case Q5_K -> 176;
            case Q6_K -> 210;
        };
    }

    /** Where the f16 of a block are. */
    public static int[] halves(MatrixFormat format) {
        return switch (format) {
            case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
            case Q6_K -> new int[] {208};
            default -> new int[] {0};
        };
    }
}

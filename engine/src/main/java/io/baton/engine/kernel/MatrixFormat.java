package io.baton.engine.kernel;

import io.baton.engine.ActivationMode;
import io.baton.engine.kernel.PanelBlock.Scales;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How a weight matrix lies in memory: panels of sixteen rows, the rows of a panel interleaved so that one load gives a
 * value (or a group of values) of each of the sixteen. Rows are padded to 16 and columns to whole blocks, with zeros.
 *
 * <p>The quantised formats keep what a GGUF block of the type of that name holds, bit for bit, in about as many bytes;
 * {@link PanelBlock} says how. Their columns are a multiple of the type's block.
 */
public enum MatrixFormat {
    /** {@code [columns][16]} f32. */
    F32(null),
    /** {@code [columns / 2][16][2]} bf16, columns padded to 2. */
    BF16(null),
    /** Type Q8_0: {@code scale * s8}. */
    Q8(new PanelBlock(8, 0, false, Scales.PLAIN)),
    /** {@code scale * (u4 - 8)}. */
    Q4_0(new PanelBlock(4, 8, false, Scales.PLAIN)),
    /** {@code scale * u4 + offset}. */
    Q4_1(new PanelBlock(4, 0, false, Scales.WITH_OFFSETS)),
    /** {@code scale * (u5 - 16)}. */
    Q5_0(new PanelBlock(5, 16, false, Scales.PLAIN)),
    /** {@code scale * u5 + offset}. */
    Q5_1(new PanelBlock(5, 0, false, Scales.WITH_OFFSETS)),
    /** {@code scale * level[u4]}, sixteen uneven levels. */
    IQ4_NL(new PanelBlock(4, 0, true, Scales.PLAIN)),
    /** {@code (d * scale) * u4 - dmin * min}, with d and dmin for 256 columns, scale and min for 32. */
    Q4_K(new PanelBlock(4, 0, false, Scales.NESTED_WITH_MINS)),
    /** {@code (d * scale) * u5 - dmin * min}, likewise. */
    Q5_K(new PanelBlock(5, 0, false, Scales.NESTED_WITH_MINS)),
    /** {@code (d * scale) * (u6 - 32)}, with d for 256 columns and scale, signed, for 16. */
    Q6_K(new PanelBlock(6, 32, false, Scales.NESTED_HALVES));

    public static final int PANEL_ROWS = 16;

    /** Columns that share a scale in most quantised formats, and always in rounded activations. */
    static final int GROUP = 32;

    @SuppressWarnings("ImmutableEnumChecker") // a record of numbers
    private final @Nullable PanelBlock block;

    MatrixFormat(@Nullable PanelBlock block) {
        this.block = block;
    }

    /** Bytes of sixteen rows. */
    public long panelBytes(int columns) {
        return switch (this) {
            case F32 -> (long) columns * PANEL_ROWS * Float.BYTES;
            case BF16 -> (columns + 1L) / 2 * PANEL_ROWS * Integer.BYTES;
            default -> Math.ceilDiv((long) columns, block().columns()) * block().bytes();
        };
    }

    /** Whether a matrix of this width can have this format. */
    public boolean takes(int columns) {
        return block == null || columns % (block.scales().nested() ? block.columns() : GROUP) == 0;
    }

    /** Bytes of a whole matrix. */
    public long matrixBytes(int rows, int columns) {
        return panels(rows) * panelBytes(columns);
    }

    /** What a product with such a matrix rounds activations to. */
    public ActivationMode activations() {
        return switch (this) {
            case F32 -> ActivationMode.F32;
            case BF16 -> ActivationMode.BF16;
            default -> ActivationMode.Q8;
        };
    }

    /** The blocks of a quantised format. */
    PanelBlock block() {
        if (block == null) {
            throw new IllegalArgumentException(this + " panels are not in blocks");
        }
        return block;
    }

    /** Panels of a matrix. */
    public static int panels(int rows) {
        return (rows + PANEL_ROWS - 1) / PANEL_ROWS;
    }

    /** As it is written in {@link io.baton.engine.Numerics}: {@code f32}, {@code q8}, {@code q4_k}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

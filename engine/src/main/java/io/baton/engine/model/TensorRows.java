package io.baton.engine.model;

import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PanelWriter;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Set;

/** Rows of a file's tensor as exact f32, or as Q8_0 blocks where they are quantised. */
final class TensorRows {

    /** Types that can be read. */
    static final Set<TensorType> READABLE =
            EnumSet.of(TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.Q8_0, TensorType.Q4_0);

    private static final int GROUP = 32;
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort S16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Tensor tensor;
    private final MemorySegment bytes;

    TensorRows(Tensor tensor) {
        this.tensor = tensor;
        this.bytes = tensor.bytes();
    }

    static boolean quantised(TensorType type) {
        return type.blockElements() > 1;
    }

    /**
     * Writes row {@code source} as row {@code target}: losslessly where both are quantised.
     *
     * @param values scratch of one row
     * @return false if a value is not finite; the row is then undefined
     */
    boolean write(int source, PanelWriter writer, int target, float[] values) {
        if (writer.matrix().format() == MatrixFormat.Q8 && quantised(tensor.type())) {
            MemorySegment row = tensor.row(source);
            writer.q8Blocks(target, tensor.type() == TensorType.Q8_0 ? row : widened(row));
            return finiteScales(row);
        }
        read(source, values);
        for (float value : values) {
            if (!Float.isFinite(value)) {
                return false;
            }
        }
        writer.floats(target, values);
        return true;
    }

    private boolean finiteScales(MemorySegment row) {
        for (long block = 0; block < row.byteSize(); block += tensor.type().blockBytes()) {
            if (!Float.isFinite(Float.float16ToFloat(row.get(S16, block)))) {
                return false;
            }
        }
        return true;
    }

    /** Every value of a row, exactly. */
    void read(int row, float[] values) {
        long offset = row * tensor.rowBytes();
        switch (tensor.type()) {
            case F32 -> MemorySegment.copy(bytes, F32, offset, values, 0, values.length);
            case F16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.float16ToFloat(bytes.get(S16, offset + (long) i * Short.BYTES));
                }
            }
            case BF16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.intBitsToFloat(bytes.get(S16, offset + (long) i * Short.BYTES) << 16);
                }
            }
            case Q8_0 -> {
                for (int i = 0; i < values.length; i++) {
                    long block = offset + (long) i / GROUP * TensorType.Q8_0.blockBytes();
                    byte q = bytes.get(ValueLayout.JAVA_BYTE, block + Short.BYTES + i % GROUP);
                    values[i] = Float.float16ToFloat(bytes.get(S16, block)) * q;
                }
            }
            case Q4_0 -> {
                for (int i = 0; i < values.length; i++) {
                    long block = offset + (long) i / GROUP * TensorType.Q4_0.blockBytes();
                    values[i] = Float.float16ToFloat(bytes.get(S16, block)) * nibble(bytes, block, i % GROUP);
                }
            }
            default -> throw new IllegalArgumentException(tensor + " is refused before packing");
        }
    }

    /** Q4_0 blocks as Q8_0 blocks of the same values. */
    private static MemorySegment widened(MemorySegment row) {
        int blocks = Math.toIntExact(row.byteSize() / TensorType.Q4_0.blockBytes());
        MemorySegment wide = MemorySegment.ofArray(new byte[blocks * PanelWriter.Q8_BLOCK_BYTES]);
        for (int b = 0; b < blocks; b++) {
            long from = (long) b * TensorType.Q4_0.blockBytes();
            long to = (long) b * PanelWriter.Q8_BLOCK_BYTES;
            wide.set(S16, to, row.get(S16, from));
            for (int i = 0; i < GROUP; i++) {
                wide.set(ValueLayout.JAVA_BYTE, to + Short.BYTES + i, (byte) nibble(row, from, i));
            }
        }
        return wide;
    }

    /** Values 0 to 15 of a block are the low halves of its bytes, 16 to 31 the high ones; stored with 8 added. */
    private static int nibble(MemorySegment bytes, long block, int i) {
        byte both = bytes.get(ValueLayout.JAVA_BYTE, block + Short.BYTES + i % (GROUP / 2));
        return (i < GROUP / 2 ? both & 15 : both >> 4 & 15) - 8;
    }
}

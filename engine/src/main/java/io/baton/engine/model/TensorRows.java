package io.baton.engine.model;

import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PanelWriter;
import io.baton.engine.kernel.QuantisedRow;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Rows of a file's tensor as exact f32, or as the blocks they are stored in. Used by one thread. */
final class TensorRows {

    private static final Map<TensorType, MatrixFormat> QUANTISED = new EnumMap<>(Map.of(
            TensorType.Q8_0, MatrixFormat.Q8,
            TensorType.Q4_0, MatrixFormat.Q4_0,
            TensorType.Q4_1, MatrixFormat.Q4_1,
            TensorType.Q5_0, MatrixFormat.Q5_0,
            TensorType.Q5_1, MatrixFormat.Q5_1,
            TensorType.IQ4_NL, MatrixFormat.IQ4_NL,
            TensorType.Q4_K, MatrixFormat.Q4_K,
            TensorType.Q5_K, MatrixFormat.Q5_K,
            TensorType.Q6_K, MatrixFormat.Q6_K));

    /** Types that can be read. */
    static final Set<TensorType> READABLE = readable();

    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort S16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Tensor tensor;
    private final MemorySegment bytes;
    private final @Nullable QuantisedRow blocks;
    private final float[] values;

    TensorRows(Tensor tensor) {
        int columns = Math.toIntExact(tensor.columns());
        this.tensor = tensor;
        this.bytes = tensor.bytes();
        this.blocks = quantised(tensor.type())
                .map(format -> QuantisedRow.of(format, columns))
                .orElse(null);
        this.values = new float[columns];
    }

    private static Set<TensorType> readable() {
        Set<TensorType> types = EnumSet.of(TensorType.F32, TensorType.F16, TensorType.BF16);
        types.addAll(QUANTISED.keySet());
        return types;
    }

    /** The format that keeps blocks of a type as they are; empty for types of plain numbers and those not read. */
    static Optional<MatrixFormat> quantised(TensorType type) {
        return Optional.ofNullable(QUANTISED.get(type));
    }

    /**
     * Writes row {@code source} as row {@code target}: as it is where the matrix has the format of the tensor's blocks.
     *
     * @return false if a value is not finite; the row is then undefined
     */
    boolean write(int source, PanelWriter writer, int target) {
        if (blocks != null
                && quantised(tensor.type()).equals(Optional.of(writer.matrix().format()))) {
            blocks.read(tensor.row(source));
            writer.quantised(target, blocks);
            return blocks.finite();
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

    /** Every value of a row, exactly. */
    void read(int row, float[] out) {
        long offset = row * tensor.rowBytes();
        if (blocks != null) {
            blocks.read(tensor.row(row));
            blocks.values(out);
            return;
        }
        switch (tensor.type()) {
            case F32 -> MemorySegment.copy(bytes, F32, offset, out, 0, out.length);
            case F16 -> {
                for (int i = 0; i < out.length; i++) {
                    out[i] = Float.float16ToFloat(bytes.get(S16, offset + (long) i * Short.BYTES));
                }
            }
            case BF16 -> {
                for (int i = 0; i < out.length; i++) {
                    out[i] = Float.intBitsToFloat(bytes.get(S16, offset + (long) i * Short.BYTES) << 16);
                }
            }
            default -> throw new IllegalArgumentException(tensor + " is refused before packing");
        }
    }
}

package io.baton.model.files;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One tensor of an open file.
 *
 * @param name canonical, e.g. {@code blk.0.attn_q.weight}
 * @param shape outermost dimension first, so that the last is the length of a contiguous row
 * @param bytes the mapped, little-endian, read-only content, whole rows one after the other; not necessarily aligned to
 *     its element, so read it with the {@code _UNALIGNED} layouts
 */
public record Tensor(String name, TensorType type, List<Long> shape, MemorySegment bytes) {

    public Tensor {
        shape = List.copyOf(shape);
    }

    /** All dimensions but the last, multiplied; 1 for a vector. */
    public long rows() {
        return shape.subList(0, shape.size() - 1).stream().reduce(1L, Math::multiplyExact);
    }

    /** Elements of a row. */
    public long columns() {
        return shape.getLast();
    }

    public long elements() {
        return rows() * columns();
    }

    public long rowBytes() {
        return type.rowBytes(columns());
    }

    /** The bytes of one row. */
    public MemorySegment row(long index) {
        return bytes.asSlice(index * rowBytes(), rowBytes());
    }

    @Override
    public String toString() {
        return "%s %s%s".formatted(name, type, shape);
    }
}

package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * A weight matrix in panels. Immutable once written by a {@link PanelWriter}; valid as long as the arena it was
 * allocated from.
 *
 * @param rows output features
 * @param columns input features
 * @param panels all panels, off-heap and 64-byte aligned
 */
public record PackedMatrix(MatrixFormat format, int rows, int columns, MemorySegment panels) {

    public PackedMatrix {
        if (!format.takes(columns)) {
            throw new IllegalArgumentException("a %s matrix cannot have %d columns".formatted(format, columns));
        }
        if (panels.byteSize() < format.matrixBytes(rows, columns) || panels.address() % OffHeap.ALIGNMENT != 0) {
            throw new IllegalArgumentException("%s [%d, %d] needs %d aligned bytes, found %s"
                    .formatted(format, rows, columns, format.matrixBytes(rows, columns), panels));
        }
    }

    /** All zero. */
    static PackedMatrix allocate(MatrixFormat format, int rows, int columns, SegmentAllocator memory) {
        return new PackedMatrix(
                format, rows, columns, memory.allocate(format.matrixBytes(rows, columns), OffHeap.ALIGNMENT));
    }

    public int panelCount() {
        return MatrixFormat.panels(rows);
    }

    /** Address of a panel. */
    public long panel(int index) {
        return panels.address() + index * format.panelBytes(columns);
    }

    public long bytes() {
        return format.matrixBytes(rows, columns);
    }
}

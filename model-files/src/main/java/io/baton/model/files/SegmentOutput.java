package io.baton.model.files;

import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A stream into memory, from its beginning on. */
final class SegmentOutput extends OutputStream {

    private final MemorySegment memory;
    private long position;

    SegmentOutput(MemorySegment memory) {
        this.memory = memory;
    }

    @Override
    public void write(int value) {
        memory.set(ValueLayout.JAVA_BYTE, position++, (byte) value);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        MemorySegment.copy(bytes, offset, memory, ValueLayout.JAVA_BYTE, position, length);
        position += length;
    }
}

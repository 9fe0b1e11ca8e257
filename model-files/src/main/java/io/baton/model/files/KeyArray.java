package io.baton.model.files;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * An array among a GGUF file's keys, decoded when asked for. It has been walked once, so that its elements are known to
 * lie within the file.
 *
 * @param bytes from the first element to the end of the last
 */
record KeyArray(GgufValueType elements, int length, MemorySegment bytes) {

    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The texts of an array of strings; malformed UTF-8 becomes U+FFFD. */
    List<String> texts() {
        List<String> texts = new ArrayList<>(length);
        long offset = 0;
        for (int i = 0; i < length; i++) {
            int size = Math.toIntExact(bytes.get(LONG, offset));
            byte[] text = bytes.asSlice(offset + Long.BYTES, size).toArray(ValueLayout.JAVA_BYTE);
            texts.add(new String(text, StandardCharsets.UTF_8));
            offset += Long.BYTES + size;
        }
        return texts;
    }

    float[] floats() {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = ((Number) elements.read(bytes, (long) i * elements.bytes())).floatValue();
        }
        return values;
    }

    int[] ints() {
        int[] values = new int[length];
        for (int i = 0; i < length; i++) {
            values[i] = ((Number) elements.read(bytes, (long) i * elements.bytes())).intValue();
        }
        return values;
    }

    boolean numeric() {
        return elements != GgufValueType.STRING && elements != GgufValueType.BOOL;
    }

    @Override
    public String toString() {
        return "an array of %d %s".formatted(length, elements);
    }
}

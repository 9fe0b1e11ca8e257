package io.baton.model.files;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Optional;

/** The types of GGUF's key values. */
enum GgufValueType {
    UINT8(0, 1),
    INT8(1, 1),
    UINT16(2, 2),
    INT16(3, 2),
    UINT32(4, 4),
    INT32(5, 4),
    FLOAT32(6, 4),
    BOOL(7, 1),
    STRING(8, 0),
    ARRAY(9, 0),
    UINT64(10, 8),
    INT64(11, 8),
    FLOAT64(12, 8);

    private static final GgufValueType[] VALUES = values();

    private final int id;
    private final int bytes;

    GgufValueType(int id, int bytes) {
        this.id = id;
        this.bytes = bytes;
    }

    /** The type's number in a file. */
    int id() {
        return id;
    }

    /** Bytes of a value; 0 for those whose length is in the file. */
    int bytes() {
        return bytes;
    }

    static Optional<GgufValueType> ofId(int id) {
        return Arrays.stream(VALUES).filter(type -> type.id == id).findFirst();
    }

    /** A scalar as Long, Double or Boolean. An unsigned value beyond {@code Long.MAX_VALUE} is a BigInteger. */
    Object read(MemorySegment segment, long offset) {
        return switch (this) {
            case UINT8 -> (long) Byte.toUnsignedInt(segment.get(ValueLayout.JAVA_BYTE, offset));
            case INT8 -> (long) segment.get(ValueLayout.JAVA_BYTE, offset);
            case UINT16 -> (long) Short.toUnsignedInt(segment.get(KeyArray.SHORT, offset));
            case INT16 -> (long) segment.get(KeyArray.SHORT, offset);
            case UINT32 -> Integer.toUnsignedLong(segment.get(KeyArray.INT, offset));
            case INT32 -> (long) segment.get(KeyArray.INT, offset);
            case FLOAT32 -> (double) segment.get(KeyArray.FLOAT, offset);
            case BOOL -> segment.get(ValueLayout.JAVA_BYTE, offset) != 0;
            case UINT64 -> unsigned(segment.get(KeyArray.LONG, offset));
            case INT64 -> segment.get(KeyArray.LONG, offset);
            case FLOAT64 -> segment.get(KeyArray.DOUBLE, offset);
            case STRING, ARRAY -> throw new IllegalStateException(this + " is not a scalar");
        };
    }

    private static Object unsigned(long value) {
        return value >= 0 ? (Object) value : new BigInteger(Long.toUnsignedString(value));
    }
}

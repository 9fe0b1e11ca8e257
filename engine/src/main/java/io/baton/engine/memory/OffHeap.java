package io.baton.engine.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * All memory as one segment whose offsets are addresses. Kernels see nothing else: one kind of segment at every access
 * is what keeps the JIT's code for it fast (a heap segment seen once at the same place costs a factor of hundreds).
 * There are no bounds; whoever hands out an address owns the arena behind it and says how far it goes.
 */
public final class OffHeap {

    /** Rows of f32 and panels begin at multiples of this; also the size of a vector of 16 f32. */
    public static final int ALIGNMENT = 64;

    public static final MemorySegment ALL = everything();

    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt S32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort S16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private OffHeap() {}

    @SuppressWarnings("restricted") // the flag --enable-native-access is part of how every JVM of ours starts
    private static MemorySegment everything() {
        return MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    }

    public static float f32(long address) {
        return ALL.get(F32, address);
    }

    public static void f32(long address, float value) {
        ALL.set(F32, address, value);
    }

    public static int s32(long address) {
        return ALL.get(S32, address);
    }

    public static void s32(long address, int value) {
        ALL.set(S32, address, value);
    }

    public static short s16(long address) {
        return ALL.get(S16, address);
    }

    public static void s16(long address, short value) {
        ALL.set(S16, address, value);
    }

    public static byte s8(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address);
    }

    public static void s8(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }

    public static void zero(long address, long bytes) {
        ALL.asSlice(address, bytes).fill((byte) 0);
    }

    public static void copy(long from, long to, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
    }

    public static void copy(float[] from, int count, long to) {
        MemorySegment.copy(from, 0, ALL, F32, to, count);
    }

    public static void copy(long from, float[] to, int count) {
        MemorySegment.copy(ALL, F32, from, to, 0, count);
    }

    /** {@code bytes} rounded up to {@link #ALIGNMENT}. */
    public static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** Bytes of a row of {@code values} f32, padded to whole vectors. */
    public static long rowBytes(int values) {
        return aligned((long) values * Float.BYTES);
    }
}

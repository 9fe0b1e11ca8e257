package io.baton.bench.micro;

import io.baton.engine.memory.OffHeap;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;

/** Off-heap rows of random f32 between -1 and 1. */
final class RandomRows {

    private static final SplittableRandom RANDOM = new SplittableRandom(3);

    private RandomRows() {}

    /** Address of {@code count} rows, {@code OffHeap.rowBytes(columns)} apart. */
    static long allocate(Arena arena, int count, int columns) {
        long stride = OffHeap.rowBytes(columns);
        long address = arena.allocate(count * stride, OffHeap.ALIGNMENT).address();
        for (int row = 0; row < count; row++) {
            OffHeap.copy(values(columns), columns, address + row * stride);
        }
        return address;
    }

    static float[] values(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) RANDOM.nextDouble(-1, 1);
        }
        return values;
    }
}

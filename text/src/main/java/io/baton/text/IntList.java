package io.baton.text;

import java.util.Arrays;

/** A growing array of ints. */
final class IntList {

    private int[] values;
    private int size;

    IntList(int expected) {
        values = new int[Math.max(16, expected)];
    }

    void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, size + (size >> 1));
        }
        values[size++] = value;
    }

    void addAll(int[] from, int count) {
        if (size + count > values.length) {
            values = Arrays.copyOf(values, Math.max(size + count, size + (size >> 1)));
        }
        System.arraycopy(from, 0, values, size, count);
        size += count;
    }

    int size() {
        return size;
    }

    int[] toArray() {
        return Arrays.copyOf(values, size);
    }
}

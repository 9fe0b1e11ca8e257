package io.baton.engine;

import java.lang.foreign.MemorySegment;

/**
 * The memory of one sequence's blocks, unit by unit; a unit is one (layer, block) with all KV heads, K and V,
 * contiguous. Who may read or write which unit, and until when, is said where a {@code KvUnits} is handed out.
 */
public interface KvUnits {

    /** Blocks of the sequence, the last possibly partial. */
    int blocks();

    int layers();

    /** Size of each unit. */
    long unitBytes();

    /** {@code unitBytes} bytes of block {@code blockIndex} of the sequence (0 is its first block) in {@code layer}. */
    MemorySegment unit(int layer, int blockIndex);
}

package io.baton.transfer;

import java.lang.foreign.MemorySegment;

/** Where a receiver writes blocks. */
@FunctionalInterface
public interface UnitTarget {

    /**
     * The memory of a sequence's block in one layer, of exactly the shape's unit size. Written on the call's executor
     * until {@link ReceiveListener#ended}; a unit that was verified is never written again.
     */
    MemorySegment unit(int layer, int block);
}

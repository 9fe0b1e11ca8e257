package io.baton.transfer;

import java.lang.foreign.MemorySegment;

/** Where a sender reads blocks. */
@FunctionalInterface
public interface UnitSource {

    /**
     * The bytes of a sequence's block in one layer, of exactly the shape's unit size. Read only once its tokens were
     * announced as final, on the sender executor, until {@link SendListener#released()}. The slots of a partial block
     * that hold no token must be zero, as a pool leaves them that zeroes each block when it is allocated.
     */
    MemorySegment unit(int layer, int block);
}

package io.baton.engine.schedule;

import io.baton.engine.KvUnits;
import java.lang.foreign.MemorySegment;

/**
 * The units behind a block table. The table grows on the scheduler thread; a reader asks for a block after it was told
 * about it, and a block id never changes, so no lock is needed.
 */
record TableUnits(ModelRunner runner, int[] table, int blocks, int layers) implements KvUnits {

    @Override
    public long unitBytes() {
        return runner.unitBytes();
    }

    @Override
    public MemorySegment unit(int layer, int blockIndex) {
        if (blockIndex < 0 || blockIndex >= blocks || layer < 0 || layer >= layers) {
            throw new IndexOutOfBoundsException(
                    "unit of layer %d, block %d of %d layers, %d blocks".formatted(layer, blockIndex, layers, blocks));
        }
        return runner.unit(layer, table[blockIndex]);
    }
}

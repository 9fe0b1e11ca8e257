package io.baton.engine.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The K and V of every block of a node, one off-heap allocation made at start. All layers of a block lie together, so
 * that zeroing a block is one fill. Which block belongs to whom is decided elsewhere, by id; readers and writers of a
 * unit are kept apart by those who hold the block. {@link #close} waits for nobody: no access may follow it.
 */
public final class KvPool implements AutoCloseable {

    private final KvLayout layout;
    private final int layers;
    private final int blocks;
    private final long unitBytes;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;

    private KvPool(KvLayout layout, int layers, int blocks) {
        this.layout = layout;
        this.layers = layers;
        this.blocks = blocks;
        this.unitBytes = layout.unitBytes();
        this.memory = arena.allocate(bytes(layout, layers, blocks), OffHeap.ALIGNMENT);
    }

    /** All zero. */
    public static KvPool allocate(KvLayout layout, int layers, int blocks) {
        return new KvPool(layout, layers, blocks);
    }

    /** What {@link #allocate} takes. */
    public static long bytes(KvLayout layout, int layers, int blocks) {
        return Math.multiplyExact(layout.unitBytes() * layers, (long) blocks);
    }

    public KvLayout layout() {
        return layout;
    }

    public int layers() {
        return layers;
    }

    public int blocks() {
        return blocks;
    }

    public long unitBytes() {
        return unitBytes;
    }

    /** The unit of {@code block} in {@code layer}, bounded; for transfer and tests. */
    public MemorySegment unit(int layer, int block) {
        return memory.asSlice(offset(layer, block), unitBytes);
    }

    /** Where that unit begins; for kernels. */
    public long address(int layer, int block) {
        return memory.address() + offset(layer, block);
    }

    /** Clears a block in all layers, before its first use by a new owner. */
    public void zero(int block) {
        memory.asSlice(offset(0, block), layers * unitBytes).fill((byte) 0);
    }

    @Override
    public void close() {
        arena.close();
    }

    private long offset(int layer, int block) {
        if (layer < 0 || layer >= layers || block < 0 || block >= blocks) {
            throw new IndexOutOfBoundsException(
                    "unit (%d, %d) of a pool of %d layers, %d blocks".formatted(layer, block, layers, blocks));
        }
        return ((long) block * layers + layer) * unitBytes;
    }
}

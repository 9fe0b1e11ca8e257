package io.baton.engine.schedule;

import io.baton.engine.forward.LayerListener;
import java.lang.foreign.MemorySegment;

/**
 * A model and the memory behind its block ids, as the scheduler sees them: a batch of token rows goes through all
 * layers, then the entries of the batch are asked for their results. Confined to the scheduler thread except
 * {@link #unit}.
 */
public interface ModelRunner extends AutoCloseable {

    /** Blocks of the pool; ids are below it. */
    int blocks();

    /** Bytes of one (layer, block) unit. */
    long unitBytes();

    /** The memory of one unit. Any thread. */
    MemorySegment unit(int layer, int block);

    /** Clears a block in all layers. */
    void zero(int block);

    /** Makes block {@code to} equal to block {@code from} in all layers. */
    void copy(int from, int to);

    /** Starts a new batch. */
    void clear();

    /**
     * Adds {@code tokens[from, from + count)} of a sequence to the batch.
     *
     * @param firstPosition position of the first of them; K and V of all positions before it are in the blocks
     * @param blockTable the sequence's block ids; read, not copied, until the next {@link #clear}
     * @param wantHidden whether the last row's final-norm state is wanted
     * @return the entry's number
     */
    int add(int[] tokens, int from, int count, int firstPosition, int[] blockTable, boolean wantHidden);

    /** Computes the batch. */
    void run(LayerListener listener);

    /** Whether every activation of the entry's rows was finite. */
    boolean finite(int entry);

    /** Copies the final-norm state of the last row of an entry that wanted it, {@code [dim]}. */
    void hidden(int entry, float[] out);

    /** The logits of {@code count} final-norm states: {@code out[i]} is {@code [vocabulary]}. */
    void logits(float[][] hidden, int count, float[][] out);

    /** Frees the memory; no access to a unit may follow. */
    @Override
    void close();
}

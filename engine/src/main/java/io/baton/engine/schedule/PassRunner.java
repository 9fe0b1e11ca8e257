package io.baton.engine.schedule;

import io.baton.engine.forward.Batch;
import io.baton.engine.forward.ForwardPass;
import io.baton.engine.forward.LayerListener;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.MemoryBudget;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The real {@link ModelRunner}: a forward pass over a KV pool; owns both. */
public final class PassRunner implements ModelRunner {

    private final ForwardPass pass;
    private final KvPool pool;
    private final Batch batch;
    private final List<MemoryBudget.Reservation> reservations;

    /** @param maxRows rows of the largest batch, as {@code pass} was made for */
    public PassRunner(ForwardPass pass, KvPool pool, int maxRows) {
        this(pass, pool, maxRows, List.of());
    }

    /** @param reservations what pass and pool take of the budget; given back when they are closed */
    public PassRunner(ForwardPass pass, KvPool pool, int maxRows, List<MemoryBudget.Reservation> reservations) {
        this.pass = pass;
        this.pool = pool;
        this.batch = new Batch(maxRows);
        this.reservations = List.copyOf(reservations);
    }

    @Override
    public int blocks() {
        return pool.blocks();
    }

    @Override
    public long unitBytes() {
        return pool.unitBytes();
    }

    @Override
    public MemorySegment unit(int layer, int block) {
        return pool.unit(layer, block);
    }

    @Override
    public void zero(int block) {
        pool.zero(block);
    }

    @Override
    public void copy(int from, int to) {
        for (int layer = 0; layer < pool.layers(); layer++) {
            pool.unit(layer, to).copyFrom(pool.unit(layer, from));
        }
    }

    @Override
    public void clear() {
        batch.clear();
    }

    @Override
    public int add(int[] tokens, int from, int count, int firstPosition, int[] blockTable, boolean wantHidden) {
        return batch.add(tokens, from, count, firstPosition, blockTable, wantHidden);
    }

    @Override
    public void run(LayerListener listener) {
        pass.run(batch, listener);
    }

    @Override
    public boolean finite(int entry) {
        return pass.finite(entry);
    }

    @Override
    public void hidden(int entry, float[] out) {
        pass.hidden(entry, out);
    }

    @Override
    public void logits(float[][] hidden, int count, float[][] out) {
        pass.logits(hidden, count, out);
    }

    @Override
    public void close() {
        pass.close();
        pool.close();
        reservations.forEach(MemoryBudget.Reservation::close);
    }
}

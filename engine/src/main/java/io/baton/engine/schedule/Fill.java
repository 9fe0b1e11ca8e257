package io.baton.engine.schedule;

import io.baton.engine.FillLease;
import io.baton.engine.KvUnits;
import java.util.concurrent.atomic.AtomicBoolean;

/** A lent sequence's blocks. Any thread; what it says reaches the scheduler thread in order. */
final class Fill implements FillLease {

    final Generation generation;
    private final KvUnits units;
    private final int cachedBlocks;
    private final Fills fills;
    private final Inbox inbox;
    private final AtomicBoolean over = new AtomicBoolean();

    Fill(Generation generation, KvUnits units, int cachedBlocks, Fills fills, Inbox inbox) {
        this.generation = generation;
        this.units = units;
        this.cachedBlocks = cachedBlocks;
        this.fills = fills;
        this.inbox = inbox;
    }

    @Override
    public KvUnits units() {
        return units;
    }

    @Override
    public int cachedBlocks() {
        return cachedBlocks;
    }

    @Override
    public void verified(int wholeBlocks) {
        if (wholeBlocks < 0 || wholeBlocks > units.blocks()) {
            throw new IllegalArgumentException("%d verified blocks of %d".formatted(wholeBlocks, units.blocks()));
        }
        inbox.post(() -> fills.verified(this, wholeBlocks));
    }

    @Override
    public void activate(float[] hidden) {
        float[] state = hidden.clone();
        if (over.compareAndSet(false, true)) {
            inbox.post(() -> fills.activate(this, state));
        }
    }

    @Override
    public void close() {
        if (over.compareAndSet(false, true)) {
            inbox.post(() -> fills.giveUp(this));
        }
    }
}

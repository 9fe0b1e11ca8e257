package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.FillLease;
import io.baton.engine.schedule.Generation.Phase;
import java.util.concurrent.CompletableFuture;

/** Lends the blocks of admitted sequences to those who fill them from outside. Confined to the scheduler thread. */
final class Fills {

    private final Schedule schedule;
    private final Inbox inbox;

    Fills(Schedule schedule, Inbox inbox) {
        this.schedule = schedule;
        this.inbox = inbox;
    }

    void takeBlocks(Generation generation, CompletableFuture<FillLease> taken) {
        EngineException failure = generation.failure;
        if (failure != null) {
            taken.completeExceptionally(failure);
            return;
        }
        if (generation.phase != Phase.ADMITTED) {
            taken.completeExceptionally(generation.misuse("takeBlocks"));
            return;
        }
        SequenceKv kv = generation.kv();
        int cachedBlocks = kv.visibleBlocks();
        kv.makeRoomFor(generation.tokens.length);
        TableUnits units = new TableUnits(schedule.runner, kv.table(), kv.blocks(), schedule.shape.layers());
        Fill fill = new Fill(generation, units, cachedBlocks, this, inbox);
        generation.fill = fill;
        generation.phase = Phase.LENT;
        if (!taken.complete(fill)) {
            giveUp(fill); // the caller no longer wants it
        }
    }

    void verified(Fill fill, int wholeBlocks) {
        Generation generation = fill.generation;
        if (generation.ended || !fill.equals(generation.fill)) {
            return; // said too late: the blocks were given up or activated
        }
        // The last token is computed again after a failed fill, so its block is not published before activation.
        int whole = Math.min(wholeBlocks, generation.reusableBlocks());
        int positions = whole * schedule.options.blockTokens();
        if (positions > generation.kv().computed()) {
            generation.kv().advanceTo(positions);
        }
    }

    void giveUp(Fill fill) {
        Generation generation = fill.generation;
        generation.fill = null;
        if (generation.ended) {
            schedule.releaseHeld(generation);
        } else {
            generation.kv().zeroFrom(generation.kv().visibleBlocks());
            generation.phase = Phase.ADMITTED;
        }
    }

    void activate(Fill fill, float[] hidden) {
        Generation generation = fill.generation;
        generation.fill = null;
        if (generation.ended) {
            schedule.releaseHeld(generation);
            return;
        }
        int dim = schedule.shape.dim();
        if (hidden.length != dim) {
            String found = "%s was activated with a hidden state of %d values, the model has %d"
                    .formatted(generation, hidden.length, dim);
            schedule.fail(generation, new EngineException(Kind.INVALID_ARGUMENT, found));
        } else if (!finite(hidden)) {
            schedule.fail(generation, generation.notFinite("in the hidden state it was activated with"));
        } else {
            generation.kv().advanceTo(generation.tokens.length);
            schedule.run(generation, hidden);
        }
    }

    private static boolean finite(float[] values) {
        for (float value : values) {
            if (!Float.isFinite(value)) {
                return false;
            }
        }
        return true;
    }
}

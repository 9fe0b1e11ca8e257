package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.FillLease;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationTimes;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/** A caller's hold on a generation. Any thread. */
record GenerationControl(Generation generation, Schedule schedule, Fills fills, Inbox inbox, AtomicBoolean cancelled)
        implements GenerationHandle {

    GenerationControl(Generation generation, Schedule schedule, Fills fills, Inbox inbox) {
        this(generation, schedule, fills, inbox, new AtomicBoolean());
    }

    @Override
    public void prefillLocally() {
        inbox.post(() -> schedule.prefillLocally(generation));
    }

    @Override
    public CompletableFuture<FillLease> takeBlocks() {
        CompletableFuture<FillLease> taken = new CompletableFuture<>();
        if (!inbox.post(() -> fills.takeBlocks(generation, taken))) {
            taken.completeExceptionally(EngineScheduler.closed());
        }
        return taken;
    }

    @Override
    public void cancel(EngineException.Kind kind, String why) {
        if (cancelled.compareAndSet(false, true)) {
            inbox.post(() -> schedule.fail(generation, new EngineException(kind, why)));
        }
    }

    @Override
    public GenerationTimes times() {
        return generation.times();
    }
}

package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.PrefillHandle;
import java.util.concurrent.atomic.AtomicBoolean;

/** A caller's hold on a prefill. Any thread. */
record PrefillControl(Prefill prefill, Schedule schedule, Inbox inbox, AtomicBoolean cancelled, AtomicBoolean released)
        implements PrefillHandle {

    PrefillControl(Prefill prefill, Schedule schedule, Inbox inbox) {
        this(prefill, schedule, inbox, new AtomicBoolean(), new AtomicBoolean());
    }

    @Override
    public void cancel(EngineException.Kind kind, String why) {
        if (cancelled.compareAndSet(false, true)) {
            inbox.post(() -> schedule.fail(prefill, new EngineException(kind, why)));
        }
    }

    @Override
    public void release() {
        if (released.compareAndSet(false, true)) {
            inbox.post(() -> schedule.release(prefill));
        }
    }
}

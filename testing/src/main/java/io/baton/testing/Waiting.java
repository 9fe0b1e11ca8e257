package io.baton.testing;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits by asking again, for what other threads bring about without telling anybody. */
public final class Waiting {

    private static final Duration PATIENCE = Duration.ofSeconds(10); // a busy machine is no failure
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private Waiting() {}

    /** Returns as soon as it holds. */
    public static void until(String what, BooleanSupplier holds) {
        until(what, PATIENCE, holds);
    }

    /** Returns as soon as it holds, which must be within {@code limit}. */
    public static void until(String what, Duration limit, BooleanSupplier holds) {
        long end = System.nanoTime() + limit.toNanos();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("expected within %s that %s".formatted(limit, what));
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }
}

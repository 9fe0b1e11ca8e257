package io.baton.transfer;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;

/**
 * Where a stream's time comes from.
 *
 * @param nanoTime a clock that never goes back
 * @param scheduler runs short, non-blocking checks; shared by many streams
 */
public record Timing(LongSupplier nanoTime, ScheduledExecutorService scheduler) {

    /** The machine's clock and one daemon thread. The caller shuts the scheduler down. */
    public static Timing ofSystem(String threadName) {
        return new Timing(
                System::nanoTime,
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name(threadName).factory()));
    }
}

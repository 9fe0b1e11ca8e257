package io.baton.serving;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a process in order: what was added last (the gateway) drains first, so that work already taken still finds the
 * nodes behind it. Runs on SIGTERM or Ctrl-C once {@link #onSignal} was called; the process then exits with 0, or with
 * 1 if a step failed. Thread-safe.
 */
public final class Drain {

    /** Something that stops taking work, finishes what it has within the limit, and stops. */
    @FunctionalInterface
    public interface Step {
        void drain(Duration limit) throws Exception;
    }

    private record Named(String name, Step step) {}

    private static final Logger LOG = LoggerFactory.getLogger(Drain.class);

    private final Duration limit;
    private final InstantSource clock;
    private final List<Named> steps = new ArrayList<>(); // guarded by itself
    private final AtomicBoolean started = new AtomicBoolean();
    private final AtomicBoolean armed = new AtomicBoolean();
    private volatile boolean failed;
    private final CountDownLatch done = new CountDownLatch(1);

    /** @param limit for all steps together */
    public Drain(Duration limit, InstantSource clock) {
        this.limit = limit;
        this.clock = clock;
    }

    public void add(String name, Step step) {
        synchronized (steps) {
            steps.addLast(new Named(name, step));
        }
    }

    public boolean isDraining() {
        return started.get();
    }

    /**
     * Drains all steps, last added first; later calls wait for the first. A step that fails does not stop the others.
     */
    public void run() {
        if (started.compareAndSet(false, true)) {
            long deadline = clock.millis() + limit.toMillis();
            List<Named> order;
            synchronized (steps) {
                order = List.copyOf(steps).reversed();
            }
            for (Named named : order) {
                drain(named, Duration.ofMillis(Math.max(0, deadline - clock.millis())));
            }
            done.countDown();
        } else {
            await();
        }
    }

    /** Whether a step has thrown something. */
    public boolean hasFailed() {
        return failed;
    }

    private void drain(Named named, Duration left) {
        LOG.info("draining {} (at most {} ms)", named.name(), left.toMillis());
        try {
            named.step().drain(left);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            failed = true;
            LOG.error("{} did not drain", named.name(), e);
        }
    }

    /** Blocks until a drain is over. */
    public void await() {
        try {
            done.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** As {@link #await()}, for at most {@code time}; true when the drain is over. */
    public boolean await(Duration time) throws InterruptedException {
        return done.await(time.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** From now on SIGTERM and SIGINT drain, then end the process with exit code 0; with 1 if a step failed. */
    public void onSignal() {
        if (armed.compareAndSet(false, true)) {
            Runtime.getRuntime()
                    .addShutdownHook(Thread.ofPlatform().name("drain").unstarted(() -> {
                        if (armed.get()) {
                            run();
                            // After a signal the JVM would exit with 128 + its number, though everything went as asked.
                            Runtime.getRuntime().halt(failed ? 1 : 0);
                        }
                    }));
        }
    }

    /** Signals end the process at once again; for a process that is about to exit on its own. */
    public void disarm() {
        armed.set(false);
    }
}

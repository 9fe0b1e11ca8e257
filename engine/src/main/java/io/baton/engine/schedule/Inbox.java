package io.baton.engine.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What other threads ask of the scheduler thread, in order. Submissions are limited; everything else concerns a
 * sequence that was submitted and is limited by the number of sequences. Thread-safe; only the scheduler thread takes.
 */
final class Inbox {

    private final int maxSubmissions;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private List<Runnable> waiting = new ArrayList<>();
    private int submissions; // of those waiting
    private boolean acceptsSubmissions = true;
    private boolean open = true;

    Inbox(int maxSubmissions) {
        this.maxSubmissions = maxSubmissions;
    }

    /** Whether a submission fits. */
    enum Offer {
        TAKEN,
        FULL,
        CLOSED
    }

    Offer submit(Runnable submission) {
        lock.lock();
        try {
            if (!acceptsSubmissions) {
                return Offer.CLOSED;
            }
            if (submissions == maxSubmissions) {
                return Offer.FULL;
            }
            submissions++;
            add(submission);
            return Offer.TAKEN;
        } finally {
            lock.unlock();
        }
    }

    /** False when the scheduler has ended. */
    boolean post(Runnable command) {
        lock.lock();
        try {
            if (open) {
                add(command);
            }
            return open;
        } finally {
            lock.unlock();
        }
    }

    private void add(Runnable command) {
        waiting.add(command);
        arrived.signal();
    }

    /** All that is waiting, waiting up to {@code nanos} for something if there is nothing. */
    List<Runnable> take(long nanos) {
        lock.lock();
        try {
            long left = nanos;
            while (waiting.isEmpty() && left > 0) {
                try {
                    left = arrived.awaitNanos(left);
                } catch (InterruptedException e) {
                    // nobody interrupts the scheduler to stop it: it is told through this inbox
                }
            }
            if (waiting.isEmpty()) {
                return List.of();
            }
            List<Runnable> taken = waiting;
            waiting = new ArrayList<>();
            submissions = 0;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** Refuses submissions from now on. */
    void stopSubmissions() {
        lock.lock();
        try {
            acceptsSubmissions = false;
        } finally {
            lock.unlock();
        }
    }

    /** Refuses everything from now on; what was waiting. */
    List<Runnable> close() {
        lock.lock();
        try {
            open = false;
            acceptsSubmissions = false;
            return take(0);
        } finally {
            lock.unlock();
        }
    }
}

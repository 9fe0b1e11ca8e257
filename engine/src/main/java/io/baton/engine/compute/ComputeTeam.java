package io.baton.engine.compute;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A fixed team of threads that runs one piece of work at a time. The caller is worker 0, the others spin for a while
 * for the next piece and then park, so that an idle node burns nothing. A fork and join costs well under a microsecond
 * while they spin; executors cost ten times that, and a layer needs several.
 *
 * <p>Calls are made by one thread at a time: several engines take turns with {@link #exclusively}, which is fair.
 */
public final class ComputeTeam implements AutoCloseable {

    /** Some ten microseconds, more than the usual wait between two pieces of one step. */
    private static final int SPINS = 500;

    /**
     * About a millisecond more, during which whoever else wants the processor gets it: longer than between two steps.
     */
    private static final int YIELDS = 2_000;

    /** Multiply-adds that take about as long as waking somebody. */
    private static final long WORTH_SHARING = 40_000;

    /** A piece of work; {@code worker} is below {@link #threads()} and names scratch memory. */
    @FunctionalInterface
    public interface Task {
        void run(int task, int worker);
    }

    /** A piece of work over items {@code [from, to)}. */
    @FunctionalInterface
    public interface Range {
        void run(int from, int to, int worker);
    }

    private final ReentrantLock turn = new ReentrantLock(true);
    private final Worker[] workers; // without the caller
    private final AtomicInteger nextTask = new AtomicInteger();
    private final AtomicInteger unfinished = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile @Nullable Thread parkedCaller;
    private volatile int epoch;
    private volatile boolean closed;

    // The piece of work; written before epoch, read after it.
    private @Nullable Task task;
    private @Nullable Range range;
    private int count;
    private int lastEpoch; // the calling thread's copy

    private ComputeTeam(int threads) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
        }
    }

    /** A team of {@code threads}, the caller included. */
    public static ComputeTeam of(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, found " + threads);
        }
        return new ComputeTeam(threads);
    }

    public int threads() {
        return workers.length + 1;
    }

    /** Runs {@code step} when its turn comes; turns are given in the order of asking. Reentrant. */
    public void exclusively(Runnable step) {
        turn.lock();
        try {
            step.run();
        } finally {
            turn.unlock();
        }
    }

    /**
     * Runs tasks {@code [0, tasks)}; each worker takes the next one when it is free, so they may differ in size.
     *
     * @param work multiply-adds of all tasks, roughly; the caller does little ones alone
     */
    public void forEach(int tasks, long work, Task body) {
        if (tasks <= 1 || work < WORTH_SHARING || workers.length == 0) {
            for (int i = 0; i < tasks; i++) {
                body.run(i, 0);
            }
            return;
        }
        task = body;
        range = null;
        count = tasks;
        nextTask.set(0);
        forkAndJoin();
    }

    /** Gives each worker one contiguous range of {@code [0, items)}. */
    public void forRanges(int items, long work, Range body) {
        if (items <= 1 || work < WORTH_SHARING || workers.length == 0) {
            if (items > 0) {
                body.run(0, items, 0);
            }
            return;
        }
        task = null;
        range = body;
        count = items;
        forkAndJoin();
    }

    private void forkAndJoin() {
        if (closed) {
            throw new IllegalStateException("the compute team is closed");
        }
        unfinished.set(workers.length);
        epoch = ++lastEpoch;
        for (Worker worker : workers) {
            if (worker.parked) {
                LockSupport.unpark(worker);
            }
        }
        work(0);
        awaitOthers();
        Throwable thrown = failure.getAndSet(null);
        if (thrown != null) {
            throw new IllegalStateException("a compute worker failed: " + thrown.getMessage(), thrown);
        }
    }

    private void work(int worker) {
        try {
            Task task = this.task;
            Range range = this.range;
            if (task != null) {
                for (int i = nextTask.getAndIncrement(); i < count; i = nextTask.getAndIncrement()) {
                    task.run(i, worker);
                }
            } else if (range != null) {
                int from = (int) ((long) count * worker / threads());
                int to = (int) ((long) count * (worker + 1) / threads());
                if (from < to) {
                    range.run(from, to, worker);
                }
            }
        } catch (Throwable t) { // must reach the caller, whatever it is
            failure.compareAndSet(null, t);
        }
    }

    private void awaitOthers() {
        int spins = 0;
        while (unfinished.get() != 0) {
            if (spins < SPINS + YIELDS) {
                pause(spins++);
            } else {
                parkedCaller = Thread.currentThread();
                if (unfinished.get() != 0) {
                    LockSupport.park(this);
                }
                parkedCaller = null;
            }
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // a hint on a crowded machine; nothing depends on it
    private static void pause(int spins) {
        if (spins < SPINS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
    }

    /** Ends the threads; work must not be under way. */
    @Override
    public void close() {
        closed = true;
        epoch = ++lastEpoch;
        for (Worker worker : workers) {
            LockSupport.unpark(worker);
        }
    }

    private final class Worker extends Thread {
        private final int index;
        private volatile boolean parked;

        Worker(int index) {
            super("baton-compute-" + index);
            this.index = index;
            setDaemon(true);
        }

        @Override
        public void run() {
            Niceness.giveWay();
            int seen = 0;
            while (true) {
                seen = awaitChangeOf(seen);
                if (closed) {
                    return;
                }
                work(index);
                if (unfinished.decrementAndGet() == 0) {
                    Thread caller = parkedCaller;
                    if (caller != null) {
                        LockSupport.unpark(caller);
                    }
                }
            }
        }

        private int awaitChangeOf(int seen) {
            int spins = 0;
            while (epoch == seen) {
                if (spins < SPINS + YIELDS) {
                    pause(spins++);
                } else {
                    parked = true;
                    if (epoch == seen) {
                        LockSupport.park(ComputeTeam.this);
                    }
                    parked = false;
                }
            }
            return epoch;
        }
    }
}

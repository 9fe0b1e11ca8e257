package io.baton.transfer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A clock that moves when told, and a scheduler that runs what became due on the thread that moves it. */
final class TestingTiming extends AbstractExecutorService implements ScheduledExecutorService {

    private final PriorityQueue<Task> tasks = new PriorityQueue<>(Comparator.comparingLong((Task task) -> task.due));
    private long now = 1_000_000_007L;

    Timing timing() {
        return new Timing(this::nanoTime, this);
    }

    private synchronized long nanoTime() {
        return now;
    }

    /** Moves in one go; each task sees the time it was due at. */
    void advance(Duration duration) {
        long until = nanoTime() + duration.toNanos();
        Task task = next(until);
        while (task != null) {
            task.run();
            task = next(until);
        }
    }

    private synchronized @org.jspecify.annotations.Nullable Task next(long until) {
        Task task = tasks.peek();
        if (task == null || task.due > until) {
            now = until;
            return null;
        }
        now = Math.max(now, task.due);
        return tasks.remove();
    }

    synchronized int pending() {
        tasks.removeIf(FutureTask::isCancelled);
        return tasks.size();
    }

    private final class Task extends FutureTask<Object> implements ScheduledFuture<Object> {

        private final long periodNanos;
        private long due;

        Task(Runnable command, long due, long periodNanos) {
            super(command, new Object());
            this.due = due;
            this.periodNanos = periodNanos;
        }

        @Override
        public void run() {
            if (periodNanos == 0) {
                super.run();
            } else if (runAndReset()) {
                due += periodNanos;
                put(this);
            }
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(due - nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }

    private ScheduledFuture<?> add(Task task) {
        put(task);
        return task;
    }

    private synchronized void put(Task task) {
        tasks.add(task);
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        return add(new Task(command, nanoTime() + unit.toNanos(delay), 0));
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long initialDelay, long period, TimeUnit unit) {
        return add(new Task(command, nanoTime() + unit.toNanos(initialDelay), unit.toNanos(period)));
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initialDelay, long delay, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void execute(Runnable command) {
        command.run();
    }

    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
        return new ArrayList<>();
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return true;
    }
}

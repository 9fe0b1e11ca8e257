package io.baton.testing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A scheduler whose time passes only when a test says so; tasks run on the test's thread. */
public final class ManualScheduler extends AbstractExecutorService implements ScheduledExecutorService {

    private final PriorityQueue<Task<?>> tasks = new PriorityQueue<>(
            Comparator.<Task<?>>comparingLong(task -> task.due).thenComparingLong(task -> task.number));
    private long now = 1_000_000_007; // as of any clock: not 0
    private long numbers;

    /** Its clock, which stands still between calls of {@link #advance}. */
    public synchronized long nanoTime() {
        return now;
    }

    /** Runs everything that falls due within {@code time}, in order. */
    public void advance(Duration time) {
        long end;
        synchronized (this) {
            end = now + time.toNanos();
        }
        for (Optional<Task<?>> task = nextDue(end); task.isPresent(); task = nextDue(end)) {
            task.get().runOnce();
        }
    }

    private synchronized Optional<Task<?>> nextDue(long end) {
        Task<?> task = tasks.peek();
        if (task == null || task.due > end) {
            now = end;
            return Optional.empty();
        }
        now = Math.max(now, task.due);
        return Optional.of(tasks.remove());
    }

    /** Delays of what is waiting, soonest first. */
    public synchronized List<Duration> waiting() {
        List<Duration> delays = new ArrayList<>();
        tasks.stream()
                .filter(task -> !task.isCancelled())
                .forEach(task -> delays.add(Duration.ofNanos(task.due - now)));
        delays.sort(null);
        return delays;
    }

    private final class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {
        private final long period;
        private final long number;
        private long due;

        Task(Callable<V> callable, long due, long period, long number) {
            super(callable);
            this.due = due;
            this.period = period;
            this.number = number;
        }

        void runOnce() {
            if (period == 0) {
                run();
            } else if (runAndReset()) {
                synchronized (ManualScheduler.this) {
                    due += period;
                    tasks.add(this);
                }
            }
        }

        @Override
        public long getDelay(TimeUnit unit) {
            synchronized (ManualScheduler.this) {
                return unit.convert(due - now, TimeUnit.NANOSECONDS);
            }
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }

    private synchronized <V> ScheduledFuture<V> add(Callable<V> callable, long delay, long period) {
        Task<V> task = new Task<>(callable, now + delay, period, numbers++);
        tasks.add(task);
        return task;
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        return add(() -> run(command), unit.toNanos(delay), 0);
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        return add(callable, unit.toNanos(delay), 0);
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long initial, long period, TimeUnit unit) {
        return add(() -> run(command), unit.toNanos(initial), unit.toNanos(period));
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initial, long delay, TimeUnit unit) {
        return scheduleAtFixedRate(command, initial, delay, unit);
    }

    private static boolean run(Runnable command) {
        command.run();
        return true;
    }

    @Override
    public void execute(Runnable command) {
        synchronized (this) {
            tasks.add(new Task<>(() -> run(command), now, 0, numbers++));
        }
    }

    @Override
    public void shutdown() {}

    @Override
    public List<Runnable> shutdownNow() {
        return List.of();
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

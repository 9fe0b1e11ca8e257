package io.baton.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Threads that all run one loop at the same time, to see what the machine can do at most. Used by one thread. */
final class ProbeTeam implements AutoCloseable {

    private static final int TRIES = 7;

    /** What one of the threads does; returns how much that was. */
    @FunctionalInterface
    interface Work {
        long run(int thread);
    }

    private final ExecutorService workers;
    private final int threads;

    ProbeTeam(int threads) {
        this.workers = Executors.newFixedThreadPool(threads);
        this.threads = threads;
    }

    int threads() {
        return threads;
    }

    /**
     * What all threads do per second, by the time until the last of them is done: the best of several tries, because a
     * limit that a busy neighbour lowered is none.
     */
    double best(Work work) {
        double best = 0;
        for (int attempt = 0; attempt < TRIES; attempt++) {
            long start = System.nanoTime();
            long done = all(work);
            best = Math.max(best, done / ((System.nanoTime() - start) / 1e9));
        }
        return best;
    }

    /** Runs it once on every thread; returns what they did together. */
    long all(Work work) {
        List<Future<Long>> parts = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int thread = i;
            parts.add(workers.submit(() -> work.run(thread)));
        }
        long done = 0;
        for (Future<Long> part : parts) {
            done += await(part);
        }
        return done;
    }

    private static long await(Future<Long> part) {
        try {
            return part.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("measuring failed", e);
        }
    }

    @Override
    public void close() {
        workers.close();
    }
}

package io.baton.engine.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class ComputeTeamTest {

    private static final long MUCH = Long.MAX_VALUE;

    @Test
    void everyTaskRunsOnceWhateverTheTeam() {
        for (int threads = 1; threads <= 5; threads++) {
            try (ComputeTeam team = ComputeTeam.of(threads)) {
                for (int tasks = 0; tasks < 40; tasks++) {
                    AtomicIntegerArray runs = new AtomicIntegerArray(40);
                    team.forEach(tasks, MUCH, (task, worker) -> runs.incrementAndGet(task));
                    for (int task = 0; task < 40; task++) {
                        assertThat(runs.get(task)).isEqualTo(task < tasks ? 1 : 0);
                    }
                }
            }
        }
    }

    @Test
    void rangesCoverAllItemsOnce() {
        for (int threads = 1; threads <= 5; threads++) {
            try (ComputeTeam team = ComputeTeam.of(threads)) {
                for (int items = 0; items < 40; items++) {
                    AtomicIntegerArray runs = new AtomicIntegerArray(40);
                    team.forRanges(items, MUCH, (from, to, worker) -> {
                        for (int i = from; i < to; i++) {
                            runs.incrementAndGet(i);
                        }
                    });
                    for (int item = 0; item < 40; item++) {
                        assertThat(runs.get(item)).isEqualTo(item < items ? 1 : 0);
                    }
                }
            }
        }
    }

    @Test
    void littleWorkStaysWithTheCaller() {
        try (ComputeTeam team = ComputeTeam.of(4)) {
            Thread caller = Thread.currentThread();
            team.forEach(100, 100, (task, worker) -> {
                assertThat(Thread.currentThread()).isSameAs(caller);
                assertThat(worker).isZero();
            });
        }
    }

    @Test
    void aFailingTaskReachesTheCallerAndTheTeamGoesOn() {
        try (ComputeTeam team = ComputeTeam.of(3)) {
            for (int i = 0; i < 100; i++) {
                int bad = i % 7;
                assertThatThrownBy(() -> team.forEach(7, MUCH, (task, worker) -> {
                            if (task == bad) {
                                throw new IllegalArgumentException("task " + task);
                            }
                        }))
                        .hasMessageContaining("task " + bad);
            }
            AtomicIntegerArray runs = new AtomicIntegerArray(1);
            team.forEach(10, MUCH, (task, worker) -> runs.incrementAndGet(0));
            assertThat(runs.get(0)).isEqualTo(10);
        }
    }

    @Test
    void parkedWorkersWakeUpForTheNextPiece() {
        try (ComputeTeam team = ComputeTeam.of(3)) {
            AtomicIntegerArray runs = new AtomicIntegerArray(1);
            for (int i = 0; i < 20; i++) {
                team.forEach(30, MUCH, (task, worker) -> runs.incrementAndGet(0));
                LockSupport.parkNanos(3_000_000); // longer than workers spin
            }
            assertThat(runs.get(0)).isEqualTo(600);
        }
    }

    @Test
    void idleWorkersPark() {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        try (ComputeTeam team = ComputeTeam.of(3)) {
            team.forEach(30, MUCH, (task, worker) -> {});
            List<Thread> workers = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("baton-compute-") && !before.contains(thread))
                    .toList();
            assertThat(workers).hasSize(2);
            for (Thread worker : workers) {
                while (worker.getState() != Thread.State.WAITING) { // surefire ends what never comes
                    Thread.onSpinWait();
                }
            }
        }
    }

    @Test
    void turnsAreGivenInTheOrderOfAsking() throws InterruptedException {
        try (ComputeTeam team = ComputeTeam.of(1)) {
            List<Integer> order = Collections.synchronizedList(new ArrayList<>());
            CountDownLatch holding = new CountDownLatch(1);
            AtomicBoolean release = new AtomicBoolean();
            Thread holder = Thread.ofPlatform()
                    .start(() -> team.exclusively(() -> {
                        holding.countDown();
                        while (!release.get()) {
                            Thread.onSpinWait();
                        }
                    }));
            holding.await();
            List<Thread> waiting = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                int number = i;
                Thread thread = Thread.ofPlatform().start(() -> team.exclusively(() -> order.add(number)));
                while (thread.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
                waiting.add(thread);
            }
            release.set(true);
            holder.join();
            for (Thread thread : waiting) {
                thread.join();
            }
            assertThat(order).containsExactly(0, 1, 2, 3, 4);
        }
    }
}

package io.baton.transfer;

import io.grpc.Status;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps what a sender told; fails the test when it is told out of order or twice. */
final class TestingSendListener implements SendListener {

    final AtomicInteger releases = new AtomicInteger();
    final CompletableFuture<Status> ended = new CompletableFuture<>();
    volatile int units;

    @Override
    public void released() {
        if (releases.incrementAndGet() != 1) {
            throw new IllegalStateException("released twice");
        }
    }

    @Override
    public void ended(Status status, int units, long bytes) {
        this.units = units;
        if (releases.get() != 1 || !ended.complete(status)) {
            throw new IllegalStateException("ended before it was released, or twice");
        }
    }
}

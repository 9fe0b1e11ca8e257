package io.baton.gateway;

import io.baton.proto.v1.GenerateEvent;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The stream to one client. A write waits until the transport takes it, so that a slow client slows the reading of its
 * decode stream and nothing piles up here. Ends exactly once. Written by the request's thread; gRPC threads only wake
 * it.
 */
final class ClientStream {

    private final ServerCallStreamObserver<GenerateEvent> observer;
    private final Context context = Context.current();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private boolean ended;

    /** To be made on the thread that gRPC calls the service on, before the service returns. */
    ClientStream(ServerCallStreamObserver<GenerateEvent> observer) {
        this.observer = observer;
        observer.setOnReadyHandler(this::wake);
        observer.setOnCancelHandler(this::wake);
        context.addListener(_ -> wake(), Runnable::run);
    }

    private void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Writes when the client can take it; throws CANCELLED or DEADLINE_EXCEEDED when it never will. */
    void send(GenerateEvent event) {
        awaitReady();
        observer.onNext(event);
    }

    private void awaitReady() {
        lock.lock();
        try {
            while (!observer.isReady()) {
                requireAlive();
                changed.await();
            }
            requireAlive();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Status.UNAVAILABLE
                    .withDescription("the gateway is shutting down")
                    .withCause(e)
                    .asRuntimeException();
        } finally {
            lock.unlock();
        }
    }

    boolean isCancelled() {
        return context.isCancelled() || observer.isCancelled();
    }

    private void requireAlive() {
        if (isCancelled()) {
            throw cancellation();
        }
    }

    /** Why the call is over, as a status. */
    StatusRuntimeException cancellation() {
        return context.cancellationCause() instanceof TimeoutException
                ? Status.DEADLINE_EXCEEDED
                        .withDescription("the call's deadline passed")
                        .asRuntimeException()
                : Status.CANCELLED
                        .withDescription("the client cancelled or went away")
                        .asRuntimeException();
    }

    void complete() {
        if (!ended) {
            ended = true;
            observer.onCompleted();
        }
    }

    void fail(StatusRuntimeException status) {
        if (!ended) {
            ended = true;
            observer.onError(status);
        }
    }
}

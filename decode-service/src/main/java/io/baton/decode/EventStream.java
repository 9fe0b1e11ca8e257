package io.baton.decode;

import io.baton.proto.v1.DecodeEvent;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The way back to the gateway: a bounded queue in front of a call's observer. Events are written while the transport
 * takes them, by one thread at a time and never by the one that offers them, so a slow gateway cannot hold up the
 * engine. A gateway that lets more than the bound pile up loses its sequence: the engine cannot pause one without
 * keeping its blocks from others, and what is queued here would otherwise grow without bound. The stream ends exactly
 * once, whatever is asked of it afterwards. Any thread.
 */
final class EventStream {

    private final ServerCallStreamObserver<DecodeEvent> observer;
    private final Executor writers;
    private final int bound;
    private final Runnable closed;

    private final ArrayDeque<Supplier<DecodeEvent>> queue = new ArrayDeque<>(); // guarded by itself, as all below
    private boolean writing;
    private boolean ending;
    private @Nullable StatusRuntimeException failure;
    private boolean ended;

    /**
     * @param writers runs the writing; a virtual thread each
     * @param bound events that may wait
     * @param closed called once, when nothing is written any more
     */
    EventStream(ServerCallStreamObserver<DecodeEvent> observer, Executor writers, int bound, Runnable closed) {
        this.observer = observer;
        this.writers = writers;
        this.bound = bound;
        this.closed = closed;
        observer.setOnReadyHandler(this::write);
    }

    /** Queues an event, built by the writer; false when the bound is reached: the caller ends the sequence. */
    boolean offer(Supplier<DecodeEvent> event) {
        synchronized (queue) {
            if (ending) {
                return true; // too late to matter
            }
            if (queue.size() >= bound) {
                return false;
            }
            queue.add(event);
        }
        write();
        return true;
    }

    /** Queues the last event, beyond the bound if need be; OK follows it. No effect on a stream that is ending. */
    void finish(Supplier<DecodeEvent> last) {
        synchronized (queue) {
            if (ending) {
                return;
            }
            ending = true;
            queue.add(last);
        }
        write();
    }

    /** Ends with an error now; queued events are dropped. No effect on a stream that is ending. */
    void fail(StatusRuntimeException status) {
        synchronized (queue) {
            if (ending) {
                return;
            }
            ending = true;
            failure = status;
            queue.clear();
        }
        write();
    }

    /** The call is gone: nothing can be written. */
    void abandon() {
        synchronized (queue) {
            if (ended) {
                return;
            }
            ending = true;
            ended = true;
            queue.clear();
        }
        closed.run();
    }

    private void write() {
        synchronized (queue) {
            if (writing || ended || (queue.isEmpty() && !ending)) {
                return;
            }
            writing = true;
        }
        writers.execute(this::writeWhileReady);
    }

    private void writeWhileReady() {
        while (true) {
            Supplier<DecodeEvent> next;
            synchronized (queue) {
                if (ended) {
                    writing = false;
                    return;
                }
                if (queue.isEmpty() ? !ending : !observer.isReady()) {
                    writing = false; // the next event, or the on-ready handler, comes back
                    return;
                }
                if (queue.isEmpty()) {
                    ended = true;
                    writing = false;
                    break;
                }
                next = queue.remove();
            }
            observer.onNext(next.get());
        }
        StatusRuntimeException status = failure;
        if (status == null) {
            observer.onCompleted();
        } else {
            observer.onError(status);
        }
        closed.run();
    }
}

package io.baton.prefill;

import io.baton.engine.Engine;
import io.baton.proto.v1.PrefillControl;
import io.baton.transfer.FetchMethod;
import io.baton.transfer.OutgoingFrame;
import io.baton.transfer.PrefillMethod;
import io.baton.transfer.Timing;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** The node's KV services, and how many streams they serve. Thread-safe. */
final class PrefillService implements ServerCallHandler<PrefillControl, OutgoingFrame> {

    private final Engine engine;
    private final Executor senders;
    private final Timing timing;
    private final int maxStreams;
    private final PrefillTelemetry telemetry;
    private final Object streams = new Object();
    private int open; // guarded by streams
    private boolean draining; // guarded by streams

    /** @param senders a few threads; must outlive every stream */
    PrefillService(Engine engine, Executor senders, Timing timing, int maxStreams, PrefillTelemetry telemetry) {
        this.engine = engine;
        this.senders = senders;
        this.timing = timing;
        this.maxStreams = maxStreams;
        this.telemetry = telemetry;
    }

    ServerServiceDefinition prefill() {
        return PrefillMethod.service(this);
    }

    /** Refuses by name: this version does not serve cached blocks to peers. */
    ServerServiceDefinition fetch() {
        return FetchMethod.service((call, headers) -> {
            call.close(
                    Status.UNIMPLEMENTED.withDescription(
                            "KvTransfer.Fetch is not served by this version; ask Prefill.Prefill, which reuses what is cached"),
                    new Metadata());
            return new ServerCall.Listener<>() {};
        });
    }

    @Override
    public ServerCall.Listener<PrefillControl> startCall(
            ServerCall<PrefillControl, OutgoingFrame> call, Metadata headers) {
        return new PrefillCall(this, call);
    }

    Engine engine() {
        return engine;
    }

    Executor senders() {
        return senders;
    }

    Timing timing() {
        return timing;
    }

    PrefillTelemetry telemetry() {
        return telemetry;
    }

    /** Takes a place among the streams, until {@link #leave}. */
    void enter() throws RefusedException {
        synchronized (streams) {
            if (draining) {
                throw new RefusedException(Refusal.draining());
            }
            if (open >= maxStreams) {
                throw new RefusedException(Refusal.overloaded(
                        "%d prefills are open, the limit; ask another node or raise max-prefill-streams"
                                .formatted(open)));
            }
            open++;
        }
    }

    void leave() {
        synchronized (streams) {
            open--;
            streams.notifyAll();
        }
    }

    int open() {
        synchronized (streams) {
            return open;
        }
    }

    /** Refuses new prefills from now on. */
    void drain() {
        synchronized (streams) {
            draining = true;
        }
    }

    /** Waits until no stream is open; false when {@code limit} came first. */
    boolean awaitIdle(Duration limit) throws InterruptedException {
        long deadline = timing.nanoTime().getAsLong() + limit.toNanos();
        synchronized (streams) {
            while (open > 0) {
                long left = deadline - timing.nanoTime().getAsLong();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(streams, left);
            }
            return true;
        }
    }
}

package io.baton.serving;

import io.baton.kv.BlockKey;
import io.baton.proto.v1.BlockRef;
import io.baton.proto.v1.NodeEvent;
import io.baton.proto.v1.NodeGrpc;
import io.baton.proto.v1.WatchRequest;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Follows one node's {@code Node.Watch} for as long as it is open: reconnects with backoff and jitter, resumes where it
 * stopped, asks for a snapshot when it cannot, and breaks a stream that has been silent for ten heartbeats. The
 * listener is called by one thread at a time, in order, and must not block. Judging a silent node is the listener's
 * business: it sees when updates stop.
 */
public final class NodeWatcher implements AutoCloseable {

    /**
     * @param silence a stream without any event for this long is broken and dialled again
     * @param backoff waits between attempts; at most a heartbeat, so that a node which was restarted is known at once
     *     when it is there, and a dead one costs no more than a live one
     */
    public record Options(Duration silence, Backoff backoff) {
        public static Options defaults() {
            return new Options(Duration.ofSeconds(10), new Backoff(Duration.ofMillis(250), Duration.ofSeconds(1)));
        }
    }

    private final Channel channel;
    private final Runnable redial;
    private final Consumer<NodeUpdate> listener;
    private final ScheduledExecutorService scheduler;
    private final RandomGenerator random;
    private final Options options;

    private final Object lock = new Object(); // guards everything below and the calls of the listener
    private @Nullable Attempt attempt;
    private @Nullable ScheduledFuture<?> retry;
    private int failures;
    private long epoch; // 0: nothing is known
    private long lastSequence;
    private boolean closed;

    private NodeWatcher(
            Channel channel,
            Runnable redial,
            Consumer<NodeUpdate> listener,
            ScheduledExecutorService scheduler,
            RandomGenerator random,
            Options options) {
        this.channel = channel;
        this.redial = redial;
        this.listener = listener;
        this.scheduler = scheduler;
        this.random = random;
        this.options = options;
    }

    /** Watches the node at {@code target} over its control channel. */
    public static NodeWatcher start(
            Channels channels,
            String target,
            PeerRole role,
            Consumer<NodeUpdate> listener,
            ScheduledExecutorService scheduler,
            RandomGenerator random,
            Options options) {
        NodeWatcher watcher = new NodeWatcher(
                channels.control(target, role), () -> channels.redial(target), listener, scheduler, random, options);
        watcher.dial();
        return watcher;
    }

    /** Stops watching; the listener hears nothing more once this has returned. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            if (retry != null) {
                retry.cancel(false);
            }
            if (attempt != null) {
                attempt.stop("the watcher was closed");
                attempt = null;
            }
        }
    }

    private void dial() {
        synchronized (lock) {
            if (closed) {
                return;
            }
            if (failures > 0) {
                redial.run();
            }
            Attempt started = new Attempt(channel.newCall(NodeGrpc.getWatchMethod(), CallOptions.DEFAULT));
            attempt = started;
            started.start(WatchRequest.newBuilder()
                    .setEpoch(epoch)
                    .setLastSequence(lastSequence)
                    .build());
        }
    }

    /** Called with the lock held, by the attempt that is current. */
    private void lost(Status status) {
        attempt = null;
        long wait = options.backoff().wait(failures++, random).toNanos();
        try {
            retry = scheduler.schedule(this::dial, wait, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            closed = true; // whoever owns the scheduler is shutting down
        }
        listener.accept(new NodeUpdate.Lost(status));
    }

    /** One stream. Its callbacks do nothing once another has taken its place. */
    private final class Attempt extends ClientCall.Listener<NodeEvent> {

        private final ClientCall<WatchRequest, NodeEvent> call;
        private final ScheduledFuture<?> silenceCheck;
        private boolean heardSomething = true;
        private boolean greeted;
        private @Nullable List<BlockKey> snapshot; // parts so far, while one is arriving
        private int capacity;

        Attempt(ClientCall<WatchRequest, NodeEvent> call) {
            this.call = call;
            long period = options.silence().toNanos();
            this.silenceCheck = scheduler.scheduleAtFixedRate(this::checkSilence, period, period, TimeUnit.NANOSECONDS);
        }

        void start(WatchRequest request) {
            call.start(this, new Metadata());
            call.sendMessage(request);
            call.halfClose();
            call.request(1);
        }

        void stop(String why) {
            silenceCheck.cancel(false);
            call.cancel(why, null);
        }

        @Override
        public void onMessage(NodeEvent event) {
            synchronized (lock) {
                if (attempt != this) {
                    return;
                }
                heardSomething = true;
                String objection = take(event);
                if (objection == null) {
                    call.request(1);
                } else {
                    epoch = 0;
                    lastSequence = 0;
                    stop(objection);
                    lost(Status.DATA_LOSS.withDescription(objection));
                }
            }
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            synchronized (lock) {
                silenceCheck.cancel(false);
                if (attempt == this) {
                    lost(status.isOk() ? Status.UNAVAILABLE.withDescription("the node ended the stream") : status);
                }
            }
        }

        private void checkSilence() {
            synchronized (lock) {
                if (attempt == this && !heardSomething) {
                    String why = "no event for " + options.silence();
                    stop(why);
                    lost(Status.UNAVAILABLE.withDescription(why));
                }
                heardSomething = false;
            }
        }

        /** Passes the event on; or says what is wrong with it. */
        private @Nullable String take(NodeEvent event) {
            if (!greeted && !event.hasHello()) {
                return "expected a hello first, found " + event.getEventCase();
            }
            return switch (event.getEventCase()) {
                case HELLO -> greet(event);
                case SNAPSHOT -> snapshotPart(event);
                case STORED ->
                    delta(event, new NodeUpdate.Stored(keys(event.getStored().getBlocksList()), event.getLoad()));
                case REMOVED ->
                    delta(event, new NodeUpdate.Removed(keys(event.getRemoved().getBlocksList()), event.getLoad()));
                case HEARTBEAT -> beat(event);
                case EVENT_NOT_SET -> null; // a kind of event that this version does not know
            };
        }

        private @Nullable String greet(NodeEvent event) {
            boolean reset = event.getEpoch() != epoch || event.getSequence() != lastSequence;
            greeted = true;
            failures = 0;
            capacity = event.getHello().getBlockCapacity();
            epoch = event.getEpoch();
            if (reset) {
                snapshot = new ArrayList<>();
                lastSequence = 0;
            }
            listener.accept(new NodeUpdate.Connected(event.getHello(), epoch, reset, event.getLoad()));
            return null;
        }

        private @Nullable String snapshotPart(NodeEvent event) {
            if (snapshot == null) {
                return "found a snapshot where none was due";
            }
            snapshot.addAll(keys(event.getSnapshot().getBlocksList()));
            if (snapshot.size() > capacity) {
                return "found a snapshot of more than the %d blocks the node says it has".formatted(capacity);
            }
            if (event.getSnapshot().getLast()) {
                lastSequence = event.getSequence();
                listener.accept(new NodeUpdate.Snapshot(List.copyOf(snapshot), event.getLoad()));
                snapshot = null;
            }
            return null;
        }

        private @Nullable String delta(NodeEvent event, NodeUpdate update) {
            if (snapshot != null || event.getSequence() != lastSequence + 1) {
                return "expected event %d, found %d".formatted(lastSequence + 1, event.getSequence());
            }
            lastSequence = event.getSequence();
            listener.accept(update);
            return null;
        }

        private @Nullable String beat(NodeEvent event) {
            if (snapshot == null && event.getSequence() != lastSequence) {
                return "expected a heartbeat at event %d, found %d".formatted(lastSequence, event.getSequence());
            }
            listener.accept(new NodeUpdate.Beat(event.getHeartbeat().getDraining(), event.getLoad()));
            return null;
        }

        private static List<BlockKey> keys(List<BlockRef> refs) {
            return refs.stream().map(Fingerprints::fromProto).toList();
        }
    }
}

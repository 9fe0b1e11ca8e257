package io.baton.serving;

import io.baton.kv.BlockKey;
import io.baton.proto.v1.NodeEvent;
import io.baton.proto.v1.NodeGrpc;
import io.baton.proto.v1.NodeHello;
import io.baton.proto.v1.NodeLoad;
import io.baton.proto.v1.WatchRequest;
import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server side of {@code Node.Watch}: which blocks this node has cached and how loaded it is, as a stream of
 * snapshot, deltas and heartbeats. Every method may be called by any thread and returns at once; in particular
 * {@link #stored} and {@link #removed} cost the engine's scheduler one queue insertion.
 *
 * <p>Maintainers: one thread ("node-events") owns the index, the ring of recent deltas and every watcher's cursor; gRPC
 * threads and the engine only enqueue {@link Command}s. A watcher has no buffer of its own: it reads the ring, as fast
 * as its stream is ready, and is cut when the ring has overwritten what it needs next. Only deltas have sequence
 * numbers of their own; hello, snapshot parts and heartbeats carry that of the last delta before them, so a watcher
 * that compares them notices any loss.
 */
public final class NodeEvents implements AutoCloseable {

    /**
     * @param ringBlocks block keys that the ring of recent deltas remembers
     * @param blocksPerEvent keys per message of a snapshot or delta: keeps messages near 10 KiB
     * @param heartbeat time between heartbeats
     * @param watchers streams at once; more are refused
     * @param snapshots snapshots being sent at once; further watchers wait for their turn
     */
    public record Options(int ringBlocks, int blocksPerEvent, Duration heartbeat, int watchers, int snapshots) {
        public static Options defaults() {
            return new Options(1 << 16, 512, Duration.ofSeconds(1), 64, 4);
        }
    }

    private sealed interface Command {
        record Stored(List<BlockKey> blocks) implements Command {}

        record Removed(List<BlockKey> blocks) implements Command {}

        record Watch(WatchRequest request, NodeWatch watch) implements Command {}

        record Ready(NodeWatch watch) implements Command {}

        record Gone(NodeWatch watch) implements Command {}

        record Beat() implements Command {}

        record Draining() implements Command {}

        record Close() implements Command {}
    }

    private static final Logger LOG = LoggerFactory.getLogger(NodeEvents.class);

    private final BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
    private final ScheduledFuture<?> beats;
    private final Thread thread;

    // Owned by the events thread.
    private final NodeHello hello;
    private final Supplier<NodeLoad> load;
    private final Options options;
    private final CachedBlocks index = new CachedBlocks();
    private final DeltaRing ring;
    private final List<NodeWatch> watches = new ArrayList<>();
    private boolean draining;

    /**
     * @param hello what this node is; draining and capacity changes excepted, it stays the same for the process's life
     * @param load called on the events thread for every burst of events; must be cheap
     * @param epoch drawn when the process starts, never 0
     * @param scheduler only enqueues heartbeats on it
     */
    public NodeEvents(
            NodeHello hello, Supplier<NodeLoad> load, long epoch, ScheduledExecutorService scheduler, Options options) {
        if (epoch == 0) {
            throw new IllegalArgumentException("epoch 0 means that nothing is known; draw another");
        }
        this.hello = hello;
        this.load = load;
        this.options = options;
        this.ring = new DeltaRing(epoch, options.ringBlocks());
        this.draining = hello.getDraining();
        this.thread = Thread.ofVirtual().name("node-events").start(this::run);
        long period = options.heartbeat().toNanos();
        this.beats = scheduler.scheduleAtFixedRate(
                () -> commands.add(new Command.Beat()), period, period, TimeUnit.NANOSECONDS);
    }

    /** Blocks became visible in the cache, parents before children. */
    public void stored(List<BlockKey> blocks) {
        commands.add(new Command.Stored(List.copyOf(blocks)));
    }

    public void removed(List<BlockKey> blocks) {
        commands.add(new Command.Removed(List.copyOf(blocks)));
    }

    /** Tells every watcher at once, with the next heartbeat, that no new work is taken. */
    public void markDraining() {
        commands.add(new Command.Draining());
    }

    /** The service to be added to a {@link GrpcServer}. */
    public BindableService service() {
        return new NodeGrpc.NodeImplBase() {
            @Override
            public void watch(WatchRequest request, StreamObserver<NodeEvent> events) {
                NodeWatch watch = new NodeWatch((ServerCallStreamObserver<NodeEvent>) events);
                watch.onReady(() -> commands.add(new Command.Ready(watch)));
                watch.onGone(() -> commands.add(new Command.Gone(watch)));
                commands.add(new Command.Watch(request, watch));
            }
        };
    }

    /** Ends every stream with UNAVAILABLE and stops. */
    @Override
    public void close() {
        beats.cancel(false);
        commands.add(new Command.Close());
        try {
            thread.join(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (true) {
                Command command = commands.take();
                if (command instanceof Command.Close) {
                    watches.forEach(
                            watch -> watch.cut(Status.UNAVAILABLE.withDescription("the node is shutting down")));
                    return;
                }
                handle(command);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            // Without its events thread a node looks silent, and is taken out of rotation: that is the truth.
            LOG.error("node events have stopped", e);
            watches.forEach(watch -> watch.cut(Status.INTERNAL.withDescription("node events have stopped")));
        }
    }

    private void handle(Command command) {
        switch (command) {
            case Command.Stored(List<BlockKey> blocks) -> {
                index.add(blocks);
                ring.append(DeltaRing.Kind.STORED, blocks, options.blocksPerEvent());
                pumpAll();
            }
            case Command.Removed(List<BlockKey> blocks) -> {
                index.remove(blocks);
                ring.append(DeltaRing.Kind.REMOVED, blocks, options.blocksPerEvent());
                pumpAll();
            }
            case Command.Watch(WatchRequest request, NodeWatch watch) -> admit(request, watch);
            case Command.Ready(NodeWatch watch) -> {
                if (watches.contains(watch)) {
                    pump(watch, load.get());
                    watches.removeIf(NodeWatch::isCut);
                    startWaitingSnapshots();
                }
            }
            case Command.Gone(NodeWatch watch) -> {
                watches.remove(watch);
                startWaitingSnapshots();
            }
            case Command.Beat() -> beat();
            case Command.Draining() -> {
                draining = true;
                beat();
            }
            case Command.Close() -> throw new IllegalStateException("handled by run");
        }
    }

    private void admit(WatchRequest request, NodeWatch watch) {
        if (watches.size() >= options.watchers()) {
            watch.cut(Status.RESOURCE_EXHAUSTED.withDescription(
                    "this node already has %d watchers, its limit".formatted(watches.size())));
            return;
        }
        watches.add(watch);
        NodeLoad now = load.get();
        boolean resumes = ring.remembers(request.getEpoch(), request.getLastSequence());
        long from = resumes ? request.getLastSequence() : ring.lastSequence();
        watch.begin(from, !resumes);
        watch.send(event(from, now)
                .setHello(hello.toBuilder().setDraining(draining))
                .build());
        startWaitingSnapshots();
        pump(watch, now);
        watches.removeIf(NodeWatch::isCut);
    }

    /** Gives the longest-waiting watchers their snapshots, as far as the cap allows. */
    private void startWaitingSnapshots() {
        long running = watches.stream().filter(NodeWatch::isSendingSnapshot).count();
        for (NodeWatch watch : List.copyOf(watches)) {
            if (running >= options.snapshots()) {
                return;
            }
            if (watch.isWaitingForSnapshot()) {
                watch.startSnapshot(index.copy(), ring.lastSequence());
                pump(watch, load.get());
                running += watch.isSendingSnapshot() ? 1 : 0;
            }
        }
    }

    private void pumpAll() {
        NodeLoad now = load.get();
        watches.forEach(watch -> pump(watch, now));
        watches.removeIf(NodeWatch::isCut);
    }

    private void pump(NodeWatch watch, NodeLoad now) {
        watch.pump(ring, options.blocksPerEvent(), sequence -> event(sequence, now));
    }

    private void beat() {
        NodeLoad now = load.get();
        for (NodeWatch watch : watches) {
            pump(watch, now);
            watch.beat(ring.lastSequence(), draining, options.heartbeat(), sequence -> event(sequence, now));
        }
        watches.removeIf(NodeWatch::isCut);
        startWaitingSnapshots();
    }

    private NodeEvent.Builder event(long sequence, NodeLoad now) {
        return NodeEvent.newBuilder()
                .setEpoch(ring.epoch())
                .setSequence(sequence)
                .setLoad(now);
    }
}

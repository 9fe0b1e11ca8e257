package io.baton.prefill;

import io.baton.engine.CacheListener;
import io.baton.engine.Engine;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineLoad;
import io.baton.kv.BlockKey;
import io.baton.proto.v1.NodeHello;
import io.baton.proto.v1.NodeLoad;
import io.baton.proto.v1.Role;
import io.baton.serving.Fingerprints;
import io.baton.serving.GrpcServer;
import io.baton.serving.NodeEvents;
import io.baton.serving.PeerRole;
import io.baton.serving.telemetry.NodeMetrics;
import io.baton.serving.telemetry.Telemetry;
import io.baton.transfer.KvSender;
import io.baton.transfer.Timing;
import io.baton.transfer.TransferShape;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running prefill node: its engine and its gRPC server ({@code Prefill}, {@code KvTransfer}, {@code Node.Watch},
 * health, reflection). Several may run in one process on one host. Thread-safe.
 */
public final class PrefillNode implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PrefillNode.class);

    private final PrefillSettings settings;
    private final Engine engine;
    private final PrefillService service;
    private final NodeEvents events;
    private final GrpcServer server;
    private final ExecutorService senders;
    private final Timing timing;

    private PrefillNode(
            PrefillSettings settings,
            Engine engine,
            PrefillService service,
            NodeEvents events,
            GrpcServer server,
            ExecutorService senders,
            Timing timing) {
        this.settings = settings;
        this.engine = engine;
        this.service = service;
        this.events = events;
        this.server = server;
        this.senders = senders;
        this.timing = timing;
    }

    /** As below, leaving no traces and metrics. */
    public static PrefillNode start(PrefillSettings settings, EngineHost host) {
        return start(settings, host, Telemetry.silent());
    }

    /** Starts an engine on {@code host} and serves it. The node owns the engine, not the host. */
    public static PrefillNode start(PrefillSettings settings, EngineHost host, Telemetry telemetry) {
        Engine engine = host.start(settings.name(), settings.engine());
        try {
            NodeMetrics.registerKernels(telemetry, host.kernelsName());
            return start(settings, engine, telemetry, new SecureRandom());
        } catch (RuntimeException e) {
            engine.close();
            throw e;
        }
    }

    /**
     * @param engine owned by the node once this has returned
     * @param random draws the names of instance and epoch
     */
    static PrefillNode start(PrefillSettings settings, Engine engine, Telemetry telemetry, RandomGenerator random) {
        ExecutorService senders = Executors.newFixedThreadPool(
                settings.senderThreads(),
                Thread.ofPlatform()
                        .daemon()
                        .name(settings.name() + "-sender-", 0)
                        .factory());
        Timing timing = Timing.ofSystem(settings.name() + "-timer");
        PrefillTelemetry spans = new PrefillTelemetry(telemetry, engine);
        PrefillService service = new PrefillService(engine, senders, timing, settings.maxStreams(), spans);
        NodeEvents events = new NodeEvents(
                hello(engine, random),
                () -> load(engine.load()),
                random.nextLong() | 1,
                timing.scheduler(),
                NodeEvents.Options.defaults());
        CacheListener cache = new CacheListener() {
            @Override
            public void stored(List<BlockKey> blocks) {
                events.stored(blocks);
            }

            @Override
            public void removed(List<BlockKey> blocks) {
                events.removed(blocks);
            }
        };
        engine.watchCache(cache);
        GrpcServer server;
        try {
            server = GrpcServer.builder(settings.name(), settings.listen())
                    .service(service.prefill(), PeerRole.DECODE)
                    .service(service.fetch(), PeerRole.DECODE, PeerRole.PREFILL)
                    .service(events.service(), PeerRole.GATEWAY)
                    .interceptor(spans.server())
                    .start();
        } catch (RuntimeException e) {
            engine.unwatchCache(cache);
            events.close();
            timing.scheduler().shutdownNow();
            senders.shutdown();
            throw e;
        }
        long frame = Math.max(TransferShape.FRAME_PAYLOAD_BYTES, engine.unitBytes());
        LOG.info(
                "{} serves at most {} prefills at once; sending takes at most {} MiB",
                settings.name(),
                settings.maxStreams(),
                (settings.maxStreams() * (2 * frame + KvSender.ON_READY_BYTES)) >> 20);
        return new PrefillNode(settings, engine, service, events, server, senders, timing);
    }

    public int port() {
        return server.port();
    }

    /** The port that serves only health, if there is one. */
    public Optional<Integer> healthPort() {
        return server.healthPort();
    }

    /** The node's engine, for load and invariants. */
    public Engine engine() {
        return engine;
    }

    /**
     * Refuses new prefills, finishes running ones for up to {@code limit}, counts the blocks once more, then closes;
     * true when all had finished.
     *
     * @throws IllegalStateException if a block was lost or an ended sequence holds one; says which
     */
    public boolean drain(Duration limit) {
        service.drain();
        events.markDraining();
        server.markDraining();
        boolean finished = awaitIdle(limit);
        if (!finished) {
            LOG.warn("{}: prefills still running after {} are ended with UNAVAILABLE", settings.name(), limit);
        }
        try {
            engine.checkInvariants();
        } finally {
            close();
        }
        return finished;
    }

    /** Ends running prefills with UNAVAILABLE and stops. */
    @Override
    public void close() {
        service.drain();
        engine.close(); // every prefill fails, its stream tells the peer and lets go of the blocks
        events.close();
        server.close();
        awaitIdle(Duration.ofSeconds(5)); // the sender threads may go when no stream needs them
        timing.scheduler().shutdownNow();
        senders.shutdown();
    }

    private boolean awaitIdle(Duration limit) {
        try {
            return service.awaitIdle(limit);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static NodeHello hello(Engine engine, RandomGenerator random) {
        return NodeHello.newBuilder()
                .setInstanceId(new UUID(random.nextLong(), random.nextLong()).toString())
                .addRoles(Role.ROLE_PREFILL)
                .setModel(engine.shape().name())
                .setFingerprint(Fingerprints.toProto(engine.fingerprint()))
                .setBlockCapacity(engine.load().blockCapacity())
                .build();
    }

    private static NodeLoad load(EngineLoad load) {
        return NodeLoad.newBuilder()
                .setQueuedPrefillTokens(load.queuedPrefillTokens())
                .setRunningSequences(load.runningSequences())
                .setWaitingSequences(load.waitingSequences())
                .setFreeBlocks(load.freeBlocks())
                .setCachedBlocks(load.cachedBlocks())
                .setUsedBlocks(load.usedBlocks())
                .setPrefillTokensPerSecond(load.prefillTokensPerSecond())
                .setDecodeStepMicros(load.decodeStepMicros())
                .build();
    }
}

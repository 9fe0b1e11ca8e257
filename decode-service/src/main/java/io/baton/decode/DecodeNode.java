package io.baton.decode;

import io.baton.engine.CacheListener;
import io.baton.engine.Engine;
import io.baton.engine.EngineHost;
import io.baton.kv.BlockKey;
import io.baton.proto.v1.NodeHello;
import io.baton.proto.v1.NodeLoad;
import io.baton.proto.v1.Role;
import io.baton.routing.CostModel;
import io.baton.routing.KvGeometry;
import io.baton.routing.PrefillChoice;
import io.baton.serving.Channels;
import io.baton.serving.Fingerprints;
import io.baton.serving.GrpcServer;
import io.baton.serving.NodeEvents;
import io.baton.serving.PeerRole;
import io.baton.serving.telemetry.NodeMetrics;
import io.baton.serving.telemetry.Telemetry;
import io.baton.text.Tokenizer;
import io.baton.transfer.Timing;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running decode node: its engine, its gRPC server ({@code Decode}, {@code Node.Watch}, health, reflection) and its
 * channels to prefill nodes. Several may run in one process, on one {@link EngineHost}. Thread-safe.
 */
public final class DecodeNode implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(DecodeNode.class);

    private final DecodeSettings settings;
    private final Engine engine;
    private final DecodeService service;
    private final NodeEvents events;
    private final GrpcServer server;
    private final Channels channels;
    private final ExecutorService threads;
    private final Timing timing;
    private final AtomicBoolean closed = new AtomicBoolean();

    private DecodeNode(
            DecodeSettings settings,
            Engine engine,
            DecodeService service,
            NodeEvents events,
            GrpcServer server,
            Channels channels,
            ExecutorService threads,
            Timing timing) {
        this.settings = settings;
        this.engine = engine;
        this.service = service;
        this.events = events;
        this.server = server;
        this.channels = channels;
        this.threads = threads;
        this.timing = timing;
    }

    /** As the other, with telemetry that records nothing. */
    public static DecodeNode start(DecodeSettings settings, EngineHost host, Tokenizer tokenizer) {
        return start(settings, host, tokenizer, Telemetry.silent());
    }

    /** Starts an engine on {@code host} and serves it. The node owns the engine, not the host. */
    public static DecodeNode start(DecodeSettings settings, EngineHost host, Tokenizer tokenizer, Telemetry telemetry) {
        Engine engine = host.start(settings.name(), settings.engine());
        try {
            NodeMetrics.registerKernels(telemetry, host.kernelsName());
            return start(settings, engine, tokenizer, telemetry, new SecureRandom());
        } catch (RuntimeException e) {
            engine.close();
            throw e;
        }
    }

    /** @param random draws the names of instance, epoch and handoffs */
    static DecodeNode start(
            DecodeSettings settings, Engine engine, Tokenizer tokenizer, Telemetry telemetry, RandomGenerator random) {
        ExecutorService threads = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name(settings.name() + "-", 0).factory());
        Timing timing = Timing.ofSystem(settings.name() + "-timer");
        DecodeTelemetry spans = new DecodeTelemetry(telemetry, engine);
        Channels channels = new Channels(settings.listen().tls());
        PrefillMembers members =
                new PrefillMembers(settings.prefillNodes(), InetAddress::getAllByName, timing.nanoTime());
        KvStreams streams = new KvStreams(members, channels, spans, threads, timing, settings.maxKvStreams());
        PromptPrefill prefill = new PromptPrefill(
                engine,
                new PrefillChoice(costs(settings, engine)),
                streams,
                settings.prefillAttempts(),
                random::nextLong);
        DecodeService service = new DecodeService(
                engine,
                tokenizer,
                prefill,
                threads,
                timing.nanoTime(),
                settings.maxBufferedEvents(),
                spans,
                settings.address(settings.listen().port()));
        NodeEvents events = new NodeEvents(
                hello(engine, random),
                () -> load(prefill),
                random.nextLong() | 1,
                timing.scheduler(),
                NodeEvents.Options.defaults());
        engine.watchCache(new CacheListener() {
            @Override
            public void stored(List<BlockKey> blocks) {
                events.stored(blocks);
            }

            @Override
            public void removed(List<BlockKey> blocks) {
                events.removed(blocks);
            }
        });
        GrpcServer server;
        try {
            server = GrpcServer.builder(settings.name(), settings.listen())
                    .service(service, PeerRole.GATEWAY)
                    .service(events.service(), PeerRole.GATEWAY)
                    .interceptor(spans.server())
                    .start();
        } catch (RuntimeException e) {
            events.close();
            timing.scheduler().shutdownNow();
            threads.shutdownNow();
            throw e;
        }
        service.address(settings.address(server.port()));
        LOG.info(
                "{} may dial {} prefill nodes ({} KV streams, each pinning at most {} MiB in flight)",
                settings.name(),
                settings.prefillNodes().size(),
                settings.maxKvStreams(),
                Channels.KV_WINDOW_BYTES >> 20);
        DecodeNode node = new DecodeNode(settings, engine, service, events, server, channels, threads, timing);
        node.keepResolving(members);
        return node;
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
     * Refuses new requests, finishes running ones for up to {@code limit}, counts the blocks once more, then closes;
     * true when all had finished.
     *
     * @throws IllegalStateException if a block was lost or an ended sequence holds one; says which
     */
    public boolean drain(Duration limit) {
        service.drain();
        events.markDraining();
        server.markDraining();
        boolean finished = false;
        try {
            finished = service.awaitIdle(limit);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!finished) {
            LOG.warn("{}: requests still running after {} are ended with UNAVAILABLE", settings.name(), limit);
        }
        try {
            engine.checkInvariants();
        } finally {
            close();
        }
        return finished;
    }

    /** Ends running requests with UNAVAILABLE and stops. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        service.drain();
        engine.close();
        // Their last events are on the way; a call whose gateway does not read is cut with the server.
        try {
            service.awaitIdle(Duration.ofSeconds(1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        events.close();
        server.close();
        channels.close();
        timing.scheduler().shutdownNow();
        threads.shutdown();
    }

    private void keepResolving(PrefillMembers members) {
        if (members.isEmpty()) {
            return;
        }
        long period = settings.memberRefresh().toNanos();
        Runnable resolve = () -> members.refresh().forEach(channels::drop);
        var _ = timing.scheduler().scheduleAtFixedRate(() -> threads.execute(resolve), 0, period, TimeUnit.NANOSECONDS);
    }

    private static CostModel costs(DecodeSettings settings, Engine engine) {
        int blockTokens = engine.options().blockTokens();
        int layers = engine.shape().layers();
        return new CostModel(
                new KvGeometry(blockTokens, layers, engine.unitBytes() * layers / blockTokens), settings.costs());
    }

    private static NodeHello hello(Engine engine, RandomGenerator random) {
        return NodeHello.newBuilder()
                .setInstanceId(new UUID(random.nextLong(), random.nextLong()).toString())
                .addRoles(Role.ROLE_DECODE)
                .setModel(engine.shape().name())
                .setFingerprint(Fingerprints.toProto(engine.fingerprint()))
                .setBlockCapacity(engine.load().blockCapacity())
                .build();
    }

    private static NodeLoad load(PromptPrefill prefill) {
        io.baton.routing.NodeLoad load = prefill.load();
        return NodeLoad.newBuilder()
                .setQueuedPrefillTokens(load.queuedPrefillTokens())
                .setRunningSequences(load.runningSequences())
                .setWaitingSequences(load.waitingSequences())
                .setFreeBlocks(load.freeBlocks())
                .setCachedBlocks(load.cachedBlocks())
                .setUsedBlocks(load.usedBlocks())
                .setPrefillTokensPerSecond(load.prefillTokensPerSecond())
                .setDecodeStepMicros(load.decodeStepMicros())
                .setReceiveBytesPerSecond(load.receiveBytesPerSecond())
                .build();
    }
}

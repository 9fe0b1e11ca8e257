package io.baton.gateway;

import io.baton.routing.NodeRole;
import io.baton.serving.Channels;
import io.baton.serving.GrpcServer;
import io.baton.serving.Statuses;
import io.baton.serving.telemetry.GenAiMetrics;
import io.baton.serving.telemetry.Telemetry;
import io.baton.serving.telemetry.TraceInterceptors;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running gateway: the public gRPC API in front of a cluster. It listens at once and reports SERVING as soon as it
 * knows a decode node that can serve its model. Several may run in one process. Thread-safe.
 */
public final class GatewayNode implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(GatewayNode.class);
    private static final Duration REMIND = Duration.ofSeconds(10);
    private static final Duration FLUSH = Duration.ofSeconds(1);
    // A tenth of the requests may be tried again, as the design's budget says; ten at once in a quiet gateway.
    private static final double RETRY_SHARE = 0.1;
    private static final double RETRY_BURST = 10;
    private static final AttributeKey<String> ROLE = AttributeKey.stringKey("baton.role");

    private final String name;
    private final ServedModel model;
    private final GatewayEnvironment world;
    private final Channels channels;
    private final ScheduledExecutorService scheduler;
    private final ExecutorService threads;
    private final GrpcServer server;
    private final AtomicBoolean ready = new AtomicBoolean();
    private final CountDownLatch readyOnce = new CountDownLatch(1);
    private final CountDownLatch completeOnce = new CountDownLatch(1);
    private final Cluster cluster;
    private final InFlight inFlight;
    private final List<ScheduledFuture<?>> reminders = new CopyOnWriteArrayList<>();
    private final List<Runnable> gauges = new CopyOnWriteArrayList<>(); // each unregisters one

    private GatewayNode(GatewaySettings settings, ServedModel model, Telemetry telemetry, GatewayEnvironment world) {
        this.name = settings.name();
        this.model = model;
        this.world = world;
        channels = new Channels(settings.listen().tls());
        scheduler = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name(name + "-timer").daemon().factory());
        threads = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name(name + "-request-", 0).factory());
        inFlight = new InFlight(settings.maxInFlight(), settings.maxInFlightPerTenant());
        cluster = new Cluster(
                settings, model, channels, scheduler, world.clock(), world.random(), world.resolver(), this::judge);
        TraceInterceptors traces = new TraceInterceptors(telemetry);
        PoolRouters routers = new PoolRouters(
                model, settings.costs(), cluster, world.clock(), world.random().nextLong());
        GatewayParts parts = new GatewayParts(
                model,
                routers,
                new DecodeCalls(channels, traces, cluster),
                new EffectiveSalt(settings.clusterKey()),
                new RetryBudget(RETRY_SHARE, RETRY_BURST),
                inFlight,
                Statuses.standard(),
                telemetry,
                new GenAiMetrics(telemetry),
                RequestTrace.fallbackCounter(telemetry),
                world.random());
        try {
            GrpcServer listening = GrpcServer.builder(name, settings.listen())
                    .service(new InferenceService(parts, threads, world.nanos()))
                    .interceptor(new TenantInterceptor(settings.tenantHeader(), settings.sharingGroupHeader()))
                    .interceptor(traces.server())
                    .start();
            listening.health().ready(false);
            server = listening;
        } catch (RuntimeException e) {
            release();
            throw e;
        }
    }

    /** Listens and starts watching; returns before any node is known, see {@link #awaitReady}. */
    public static GatewayNode start(GatewaySettings settings, ServedModel model, Telemetry telemetry) {
        return start(settings, model, telemetry, GatewayEnvironment.ofSystem());
    }

    static GatewayNode start(
            GatewaySettings settings, ServedModel model, Telemetry telemetry, GatewayEnvironment world) {
        GatewayNode node = new GatewayNode(settings, model, telemetry, world);
        node.registerGauges(telemetry.meter());
        LOG.info("{} serves model {}; waiting for decode nodes at {}", node.name, model.name(), settings.decodeNodes());
        node.cluster.start();
        node.reminders.add(node.scheduler.scheduleAtFixedRate(
                node::remind, REMIND.toMillis(), REMIND.toMillis(), TimeUnit.MILLISECONDS));
        return node;
    }

    public int port() {
        return server.port();
    }

    /** The port that serves only health, if there is one. */
    public Optional<Integer> healthPort() {
        return server.healthPort();
    }

    /** Whether a decode node that serves the model is known and takes work. */
    public boolean isReady() {
        return ready.get();
    }

    /** Waits until the gateway has been ready once; false when the time is over first. */
    public boolean awaitReady(Duration limit) throws InterruptedException {
        return readyOnce.await(limit.toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * Waits until, besides, every node that was given by address has been up at once: a cluster started as a whole is
     * then complete. False when the time is over first.
     */
    public boolean awaitEveryNode(Duration limit) throws InterruptedException {
        return completeOnce.await(limit.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** What is known of each node, in words. */
    public String clusterSummary() {
        return cluster.summary();
    }

    /** Distinct cached blocks known over all nodes. */
    public int blocksKnown() {
        return cluster.blocksKnown();
    }

    /** Requests running now. */
    public int inFlight() {
        return inFlight.running();
    }

    /** Refuses new requests, finishes running ones for up to {@code limit}, then closes; true when all had finished. */
    public boolean drain(Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        inFlight.drain();
        server.markDraining();
        boolean finished = false;
        try {
            finished = inFlight.awaitIdle(limit);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!finished) {
            LOG.warn("{}: {} requests still running after {} are cancelled", name, inFlight.running(), limit);
        }
        // Last events may still be on their way; only endless calls such as health watches use this time up.
        long left = Math.clamp(end - System.nanoTime(), 0, FLUSH.toNanos());
        server.drain(Duration.ofNanos(left));
        close();
        return finished;
    }

    /** Cancels running requests and stops. */
    @Override
    public void close() {
        inFlight.drain();
        server.close();
        release();
    }

    private void registerGauges(Meter meter) {
        gauges.add(meter.gaugeBuilder("baton.gateway.index.blocks")
                .setUnit("{block}")
                .setDescription("Distinct cached KV blocks known over all nodes")
                .ofLongs()
                .buildWithCallback(gauge -> gauge.record(cluster.blocksKnown()))::close);
        gauges.add(meter.counterBuilder("baton.gateway.index.dropped")
                .setUnit("{block}")
                .setDescription("Cached KV blocks left out because the index was full")
                .buildWithCallback(counter -> counter.record(cluster.blocksDropped()))::close);
        gauges.add(meter.gaugeBuilder("baton.gateway.nodes")
                .setUnit("{node}")
                .setDescription("Nodes this gateway gives work to, by role")
                .ofLongs()
                .buildWithCallback(gauge -> {
                    for (NodeRole role : NodeRole.values()) {
                        gauge.record(
                                cluster.nodesTakingWork(role),
                                Attributes.of(ROLE, role.name().toLowerCase(Locale.ROOT)));
                    }
                })::close);
        gauges.add(meter.gaugeBuilder("baton.gateway.requests.running")
                .setUnit("{request}")
                .setDescription("Requests this gateway is answering")
                .ofLongs()
                .buildWithCallback(gauge -> gauge.record(inFlight.running()))::close);
    }

    private void release() {
        reminders.forEach(reminder -> reminder.cancel(false));
        gauges.forEach(Runnable::run);
        threads.shutdownNow();
        cluster.close();
        scheduler.shutdownNow();
        channels.close();
    }

    /** Called on the cluster thread whenever something about the cluster is new, at least once a second. */
    private void judge() {
        long now = world.clock().millis();
        int nodes = PoolRouters.serving(model, cluster.view(), now).stream()
                .mapToInt(pool -> pool.decodeNodesTakingWork(now))
                .sum();
        if (ready.compareAndSet(nodes == 0, nodes > 0)) {
            server.health().ready(nodes > 0);
            if (nodes > 0) {
                LOG.info("{} is ready: {} decode nodes serve {}", name, nodes, model.name());
                readyOnce.countDown();
            } else {
                LOG.warn("{} is not ready any more: {}", name, cluster.summary());
            }
        }
        if (ready.get() && completeOnce.getCount() > 0 && cluster.everyGivenNodeIsUp()) {
            completeOnce.countDown();
        }
    }

    private void remind() {
        if (!ready.get()) {
            LOG.warn("{} still waits for a decode node that serves {}: {}", name, model.name(), cluster.summary());
        }
    }
}

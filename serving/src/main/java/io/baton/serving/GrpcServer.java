package io.baton.serving;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running gRPC server: the given services, health (v1) by service name, and reflection (v1). Calls run on virtual
 * threads unless told otherwise. A caller that is gone without a word is noticed by {@link KeepAlive}. Thread-safe.
 */
public final class GrpcServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(GrpcServer.class);

    private final String name;
    private final Server server;
    private final Optional<Server> healthServer;
    private final Health health;
    private final TlsCredentials credentials;
    private final int port;
    private final Optional<Integer> healthPort;

    private GrpcServer(
            String name, Server server, Optional<Server> healthServer, Health health, TlsCredentials credentials) {
        this.name = name;
        this.server = server;
        this.healthServer = healthServer;
        this.health = health;
        this.credentials = credentials;
        this.port = server.getPort();
        this.healthPort = healthServer.map(Server::getPort);
    }

    /** @param name what errors and logs call this server, e.g. {@code decode} */
    public static Builder builder(String name, ListenSettings listen) {
        return new Builder(name, listen);
    }

    /** The port it really listens on; known after it has stopped, too. */
    public int port() {
        return port;
    }

    /** The port that serves only health, if there is one. */
    public Optional<Integer> healthPort() {
        return healthPort;
    }

    /** Per-service health; everything is SERVING from the start. */
    public Health health() {
        return health;
    }

    /** Tells probes and balancers to send nothing new; running and new calls still work. */
    public void markDraining() {
        health.drain();
    }

    /**
     * Stops accepting calls, waits up to {@code limit} for running ones, then cancels what is left; true when none was.
     */
    public boolean drain(Duration limit) {
        markDraining();
        server.shutdown();
        boolean finished = false;
        try {
            finished = server.awaitTermination(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!finished) {
            LOG.warn("{}: calls still running after {} are cancelled", name, limit);
        }
        close();
        return finished;
    }

    /** Cancels every call and stops. */
    @Override
    public void close() {
        server.shutdownNow();
        healthServer.ifPresent(Server::shutdownNow);
        credentials.close();
        try {
            server.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public static final class Builder {

        private final String name;
        private final ListenSettings listen;
        private final List<ServerServiceDefinition> services = new ArrayList<>();
        private final Map<String, Set<PeerRole>> callers = new HashMap<>();
        private final List<ServerInterceptor> interceptors = new ArrayList<>();
        private ServerLimits limits = ServerLimits.defaults();
        private Statuses statuses = Statuses.standard();
        private Optional<Executor> executor = Optional.empty();

        private Builder(String name, ListenSettings listen) {
            this.name = name;
            this.listen = listen;
        }

        /** @param callers who may call it under mutual TLS; none means anyone with a trusted certificate */
        public Builder service(BindableService service, PeerRole... callers) {
            return service(service.bindService(), callers);
        }

        /** As {@link #service(BindableService, PeerRole...)}. */
        public Builder service(ServerServiceDefinition service, PeerRole... callers) {
            services.add(service);
            this.callers.put(service.getServiceDescriptor().getName(), Set.of(callers));
            return this;
        }

        public Builder limits(ServerLimits limits) {
            this.limits = limits;
            return this;
        }

        /** How exceptions thrown by a service become statuses. */
        public Builder statuses(Statuses statuses) {
            this.statuses = statuses;
            return this;
        }

        /** Runs after (inside) the server's own interceptors, in the order added. */
        public Builder interceptor(ServerInterceptor interceptor) {
            interceptors.add(interceptor);
            return this;
        }

        /** Runs calls on this instead of virtual threads; the caller shuts it down. */
        public Builder executor(Executor executor) {
            this.executor = Optional.of(executor);
            return this;
        }

        /** Binds and serves; throws {@link ServingException} saying what to change when it cannot. */
        public GrpcServer start() {
            InetAddress address = address();
            refuseExposedPlaintext(address);
            Health health = new Health(services);
            TlsCredentials credentials = TlsCredentials.of(listen.tls());
            Optional<Server> main = Optional.empty();
            try {
                Server server = started(mainServer(address, health, credentials), address, listen.port(), "--port");
                main = Optional.of(server);
                Optional<Server> healthServer = listen.healthPort()
                        .map(port -> started(healthServer(address, port, health), address, port, "--health-port"));
                GrpcServer running = new GrpcServer(name, server, healthServer, health, credentials);
                LOG.info("{} listens on {}:{} ({})", name, listen.host(), running.port(), security());
                running.healthPort()
                        .ifPresent(port -> LOG.info("{} tells its health on {}:{}", name, listen.host(), port));
                return running;
            } catch (RuntimeException e) {
                main.ifPresent(Server::shutdownNow);
                credentials.close();
                throw e;
            }
        }

        private NettyServerBuilder mainServer(InetAddress address, Health health, TlsCredentials credentials) {
            NettyServerBuilder builder = NettyServerBuilder.forAddress(
                            new InetSocketAddress(address, listen.port()), credentials.forServer())
                    .executor(executor.orElseGet(Executors::newVirtualThreadPerTaskExecutor))
                    .maxInboundMessageSize(limits.inboundMessageBytes())
                    .maxInboundMetadataSize(limits.inboundMetadataBytes())
                    .maxConcurrentCallsPerConnection(limits.callsPerConnection())
                    .flowControlWindow(limits.streamWindowBytes())
                    .permitKeepAliveTime(limits.keepAliveEvery().toNanos(), TimeUnit.NANOSECONDS)
                    .permitKeepAliveWithoutCalls(true)
                    .keepAliveTime(KeepAlive.EVERY.toSeconds(), TimeUnit.SECONDS)
                    .keepAliveTimeout(KeepAlive.TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            // grpc-java runs the interceptor that was added last first.
            interceptors.reversed().forEach(builder::intercept);
            builder.intercept(new RoleGuard(listen.tls(), callers));
            builder.intercept(new ExceptionsToStatus(statuses));
            builder.addStreamTracerFactory(Arrival.tracers());
            services.forEach(builder::addService);
            return builder.addService(health.service()).addService(ProtoReflectionServiceV1.newInstance());
        }

        private static NettyServerBuilder healthServer(InetAddress address, int port, Health health) {
            return NettyServerBuilder.forAddress(new InetSocketAddress(address, port))
                    .executor(Executors.newVirtualThreadPerTaskExecutor())
                    .maxInboundMessageSize(4 << 10)
                    .maxInboundMetadataSize(8 << 10)
                    .maxConcurrentCallsPerConnection(16)
                    .addService(health.service());
        }

        private InetAddress address() {
            try {
                return InetAddress.getByName(listen.host());
            } catch (UnknownHostException e) {
                throw new ServingException(
                        "%s: host %s is unknown; give --host an address of this machine".formatted(name, listen.host()),
                        e);
            }
        }

        private void refuseExposedPlaintext(InetAddress address) {
            TlsSettings tls = listen.tls();
            if (!address.isLoopbackAddress() && !tls.servesTls() && !tls.insecure()) {
                throw new ServingException(
                        ("%s: refusing to listen on %s without TLS; give --tls-certificate and --tls-key (and --tls-trust"
                                        + " for mutual TLS), listen on 127.0.0.1, or pass --insecure")
                                .formatted(name, listen.host()));
            }
        }

        private String security() {
            TlsSettings tls = listen.tls();
            return tls.isMutual() ? "mutual TLS" : tls.servesTls() ? "TLS" : "plaintext";
        }

        private Server started(NettyServerBuilder builder, InetAddress address, int port, String flag) {
            try {
                return builder.build().start();
            } catch (IOException e) {
                if (hasCause(e, BindException.class) || hasMessage(e, "Address already in use")) {
                    throw new ServingException(
                            ("%s: port %d of %s is taken by another process; stop that one or choose another port with"
                                            + " %s (0 picks a free one)")
                                    .formatted(name, port, address.getHostAddress(), flag),
                            e);
                }
                throw new ServingException(
                        "%s cannot listen on %s:%d: %s; give --host an address of this machine"
                                .formatted(name, address.getHostAddress(), port, e.getMessage()),
                        e);
            }
        }

        private static boolean hasCause(Throwable thrown, Class<?> type) {
            for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
                if (type.isInstance(cause)) {
                    return true;
                }
            }
            return false;
        }

        private static boolean hasMessage(Throwable thrown, String text) {
            for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
                if (cause.getMessage() != null && cause.getMessage().contains(text)) {
                    return true;
                }
            }
            return false;
        }
    }
}

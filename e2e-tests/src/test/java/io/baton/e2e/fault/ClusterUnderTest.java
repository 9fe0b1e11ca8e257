package io.baton.e2e.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.BatonClient;
import io.baton.decode.DecodeNode;
import io.baton.decode.DecodeSettings;
import io.baton.engine.Engine;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.gateway.GatewayNode;
import io.baton.gateway.GatewaySettings;
import io.baton.gateway.ServedModel;
import io.baton.model.files.ModelFile;
import io.baton.prefill.PrefillNode;
import io.baton.prefill.PrefillSettings;
import io.baton.serving.ListenSettings;
import io.baton.serving.PeerRole;
import io.baton.serving.TlsSettings;
import io.baton.serving.telemetry.Telemetry;
import io.baton.testing.Waiting;
import io.baton.text.Tokenizer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A gateway with prefill and decode nodes on loopback, all in this process, driven through the public client. In front
 * of the gateway and of every node stands a {@link FaultProxy}; each peer knows the others by their proxies' addresses
 * alone.
 */
public final class ClusterUnderTest implements AutoCloseable {

    /**
     * What to start.
     *
     * @param blocks of each node's KV pool
     * @param chunkTokens prompt tokens computed at once; small chunks make long phases
     * @param tls of every connection, the client's included
     */
    public record Plan(
            int prefillNodes,
            int decodeNodes,
            int blockTokens,
            int blocks,
            int chunkTokens,
            int maxWaiting,
            TlsSettings tls) {

        public static Plan of(int prefillNodes, int decodeNodes) {
            return new Plan(prefillNodes, decodeNodes, 16, 1024, 32, 16, TlsSettings.plaintext());
        }

        public Plan withBlocks(int count) {
            return new Plan(prefillNodes, decodeNodes, blockTokens, count, chunkTokens, maxWaiting, tls);
        }

        public Plan withMaxWaiting(int requests) {
            return new Plan(prefillNodes, decodeNodes, blockTokens, blocks, chunkTokens, requests, tls);
        }

        public Plan withTls(TlsSettings settings) {
            return new Plan(prefillNodes, decodeNodes, blockTokens, blocks, chunkTokens, maxWaiting, settings);
        }
    }

    private static final Duration READY = Duration.ofSeconds(15);

    private final Path model;
    private final TlsSettings tls;
    private final EngineHost host;
    private final Tokenizer tokenizer;
    private final EngineOptions options;
    private final List<PrefillNode> prefills = new ArrayList<>();
    private final List<FaultProxy> prefillProxies = new ArrayList<>();
    private final List<DecodeNode> decodes = new ArrayList<>();
    private final List<FaultProxy> decodeProxies = new ArrayList<>();
    private final Set<Engine> stopped = new HashSet<>();
    private final GatewayNode gateway;
    private final FaultProxy gatewayProxy;
    private final BatonClient client;

    private ClusterUnderTest(Path model, Plan plan) throws InterruptedException {
        this.model = model;
        tls = plan.tls();
        ListenSettings listen = new ListenSettings("127.0.0.1", 0, Optional.empty(), tls);
        host = EngineHost.open(
                model,
                new HostOptions(Optional.empty(), KernelChoice.AUTO, 2, OptionalLong.empty()),
                LoadProgress.NONE);
        ServedModel served;
        try (ModelFile file = ModelFile.open(model)) {
            tokenizer = Tokenizer.of(file.vocabulary());
            served = ServedModel.of(file);
        }
        long blockBytes = host.kvLayout(KvType.F32, plan.blockTokens()).unitBytes()
                * host.shape().layers();
        options = new EngineOptions(
                plan.blockTokens(),
                KvType.F32,
                plan.chunkTokens(),
                OptionalLong.of(blockBytes * plan.blocks()),
                8,
                plan.maxWaiting());
        for (int i = 0; i < plan.prefillNodes(); i++) {
            prefills.add(PrefillNode.start(PrefillSettings.of("prefill-" + i, listen, options), host));
            prefillProxies.add(FaultProxy.to(prefills.get(i).port()));
        }
        for (int i = 0; i < plan.decodeNodes(); i++) {
            decodes.add(DecodeNode.start(
                    DecodeSettings.of("decode-" + i, listen, options, addresses(prefillProxies)), host, tokenizer));
            decodeProxies.add(FaultProxy.to(decodes.get(i).port()));
        }
        gateway = GatewayNode.start(
                GatewaySettings.of(listen, addresses(decodeProxies), addresses(prefillProxies)),
                served,
                Telemetry.silent());
        gatewayProxy = FaultProxy.to(gateway.port());
        client = anotherClient();
        assertThat(gateway.awaitEveryNode(READY)).as(gateway.clusterSummary()).isTrue();
        // So far there is one connection to each node, the gateway's; KV streams will have others.
        prefillProxies.forEach(FaultProxy::spareConnectionsMadeSoFar);
    }

    /** Starts everything and waits until the gateway knows a decode node. */
    public static ClusterUnderTest start(Path model, Plan plan) throws InterruptedException {
        return new ClusterUnderTest(model, plan);
    }

    public Path model() {
        return model;
    }

    public BatonClient client() {
        return client;
    }

    /** A client of its own, for tests that take it away. */
    public BatonClient anotherClient() {
        BatonClient.Builder builder = BatonClient.to(gatewayProxy.address());
        if (tls.isMutual()) {
            builder.tls(
                            tls.trust().orElseThrow(),
                            tls.certificate().orElseThrow(),
                            tls.key().orElseThrow())
                    .authority(tls.peerName(PeerRole.GATEWAY));
        }
        return builder.build();
    }

    public GatewayNode gateway() {
        return gateway;
    }

    public DecodeNode decode(int index) {
        return decodes.get(index);
    }

    public PrefillNode prefill(int index) {
        return prefills.get(index);
    }

    /** Stops a prefill node as a process that ends would; its pool is not checked any more. */
    public void stopPrefill(int index) {
        stopped.add(prefills.get(index).engine());
        prefills.get(index).close();
    }

    /** Drains a decode node, which stops it; its pool is not checked any more. */
    public boolean drainDecode(int index, Duration limit) {
        stopped.add(decodes.get(index).engine());
        return decodes.get(index).drain(limit);
    }

    /** Between the client and the gateway. */
    public FaultProxy gatewayProxy() {
        return gatewayProxy;
    }

    /** Between the gateway and a decode node. */
    public FaultProxy decodeProxy(int index) {
        return decodeProxies.get(index);
    }

    /**
     * Between a prefill node and both the gateway, which watches it, and the decode nodes. The gateway's first
     * connection is spared, so that a fault strikes a KV stream.
     */
    public FaultProxy prefillProxy(int index) {
        return prefillProxies.get(index);
    }

    /**
     * Waits for at most {@code limit} until no block of any pool is held by anybody, then checks every invariant. An
     * end that a client has seen may be a step or a closing stream ahead of the nodes.
     */
    public void assertPoolsAtBaseline(Duration limit) {
        for (Engine engine : engines().toList()) {
            Waiting.until("no block is in use", limit, () -> engine.load().usedBlocks() == 0);
            engine.checkInvariants();
        }
        Waiting.until("no request is in flight", limit, () -> gateway.inFlight() == 0);
    }

    /** Waits until the gateway hears every node again: after a cut it counts on a node only when Watch is back. */
    public void awaitEveryNodeHeard(Duration limit) {
        Waiting.until(
                "the gateway hears every node",
                limit,
                () -> gateway.clusterSummary().split(" is known", -1).length - 1 == prefills.size() + decodes.size());
    }

    /** Sequences running or waiting on any node. */
    public int sequences() {
        return engines()
                .map(Engine::load)
                .mapToInt(load -> load.runningSequences() + load.waitingSequences())
                .sum();
    }

    private Stream<Engine> engines() {
        return Stream.concat(
                        prefills.stream().map(PrefillNode::engine),
                        decodes.stream().map(DecodeNode::engine))
                .filter(engine -> !stopped.contains(engine));
    }

    private static List<String> addresses(List<FaultProxy> proxies) {
        return proxies.stream().map(FaultProxy::address).toList();
    }

    @Override
    public void close() {
        client.close();
        gatewayProxy.close();
        gateway.close();
        decodeProxies.forEach(FaultProxy::close);
        decodes.forEach(DecodeNode::close);
        prefillProxies.forEach(FaultProxy::close);
        prefills.forEach(PrefillNode::close);
        host.close();
    }
}

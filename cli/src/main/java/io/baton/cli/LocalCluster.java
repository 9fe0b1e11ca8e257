package io.baton.cli;

import io.baton.decode.DecodeNode;
import io.baton.engine.EngineHost;
import io.baton.gateway.GatewayNode;
import io.baton.gateway.ServedModel;
import io.baton.prefill.PrefillNode;
import io.baton.serving.Drain;
import io.baton.serving.ListenSettings;
import io.baton.serving.Settings;
import io.baton.serving.TlsSettings;
import io.baton.serving.telemetry.Telemetry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A whole cluster in this process: prefill and decode nodes that share one set of weights and one compute team, and a
 * gateway in front, each on a port of its own and all talking gRPC as they would across machines.
 */
final class LocalCluster implements AutoCloseable {

    private static final Duration PATIENCE =
            Duration.ofSeconds(30); // for nodes of this process to be seen by its gateway

    private final List<PrefillNode> prefillNodes = new ArrayList<>();
    private final List<DecodeNode> decodeNodes = new ArrayList<>();
    private final List<GatewayNode> gateways = new ArrayList<>(); // the only one, once it is open
    private final List<Endpoint> endpoints = new ArrayList<>();

    private LocalCluster() {}

    /** Starts everything and waits until the gateway has seen a decode node. */
    static LocalCluster start(
            Configuration configuration,
            ServedModel model,
            EngineHost host,
            Telemetry telemetry,
            int prefill,
            int decode)
            throws InterruptedException {
        LocalCluster cluster = new LocalCluster();
        try {
            cluster.open(configuration, model, host, telemetry, prefill, decode);
            cluster.awaitReady();
            return cluster;
        } catch (RuntimeException | InterruptedException e) {
            cluster.close();
            throw e;
        }
    }

    private void open(
            Configuration configuration,
            ServedModel model,
            EngineHost host,
            Telemetry telemetry,
            int prefill,
            int decode) {
        Settings prefillSettings = configuration.load(RoleSettings.PREFILL);
        ListenSettings loopback =
                new ListenSettings("127.0.0.1", 0, Optional.empty(), TlsSettings.from(prefillSettings));
        List<String> prefillAddresses = new ArrayList<>();
        for (int i = 0; i < prefill; i++) {
            String name = numbered("prefill", i, prefill);
            PrefillNode node = Roles.prefill(prefillSettings, name, loopback, host, telemetry);
            prefillNodes.add(node);
            prefillAddresses.add(opened(name, loopback, node.port()));
        }
        Settings decodeSettings = configuration
                .with(Map.of("prefill-nodes", String.join(",", prefillAddresses)))
                .load(RoleSettings.DECODE);
        List<String> decodeAddresses = new ArrayList<>();
        for (int i = 0; i < decode; i++) {
            String name = numbered("decode", i, decode);
            DecodeNode node = Roles.decode(decodeSettings, name, loopback, host, model.tokenizer(), telemetry);
            decodeNodes.add(node);
            decodeAddresses.add(opened(name, loopback, node.port()));
        }
        Settings gatewaySettings = configuration
                .with(Map.of(
                        "decode-nodes", String.join(",", decodeAddresses),
                        "prefill-nodes", String.join(",", prefillAddresses)))
                .load(RoleSettings.GATEWAY);
        ListenSettings listen = ListenSettings.from(gatewaySettings);
        GatewayNode gateway = Roles.gateway(gatewaySettings, listen, model, telemetry);
        gateways.add(gateway);
        endpoints.addAll(0, Endpoint.of("gateway", listen, gateway.port(), gateway.healthPort()));
    }

    private String opened(String name, ListenSettings listen, int port) {
        Endpoint endpoint = new Endpoint(name, "grpc", listen.host() + ":" + port);
        endpoints.add(endpoint);
        return endpoint.address();
    }

    private static String numbered(String role, int index, int count) {
        return count == 1 ? role : role + "-" + index;
    }

    private void awaitReady() throws InterruptedException {
        GatewayNode gateway = gateways.getFirst();
        if (!gateway.awaitEveryNode(PATIENCE)) {
            throw new CommandException("the gateway did not see every node within %d s: %s"
                    .formatted(PATIENCE.toSeconds(), gateway.clusterSummary()));
        }
    }

    /** Every open port, the gateway's first. */
    List<Endpoint> endpoints() {
        return List.copyOf(endpoints);
    }

    /** Where clients connect; reachable from this machine. */
    String target() {
        return "127.0.0.1:" + gateways.getFirst().port();
    }

    /** The order in which a process with this cluster stops: the gateway first. */
    void addTo(Drain drain) {
        prefillNodes.forEach(node -> drain.add("prefill", node::drain));
        decodeNodes.forEach(node -> drain.add("decode", node::drain));
        gateways.forEach(node -> drain.add("gateway", node::drain));
    }

    @Override
    public void close() {
        gateways.forEach(GatewayNode::close);
        decodeNodes.forEach(DecodeNode::close);
        prefillNodes.forEach(PrefillNode::close);
    }
}

package io.baton.e2e;

import io.baton.client.BatonClient;
import io.baton.decode.DecodeNode;
import io.baton.decode.DecodeSettings;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.LoadProgress;
import io.baton.gateway.GatewayNode;
import io.baton.gateway.GatewaySettings;
import io.baton.gateway.ServedModel;
import io.baton.model.files.ModelFile;
import io.baton.prefill.PrefillNode;
import io.baton.prefill.PrefillSettings;
import io.baton.serving.ListenSettings;
import io.baton.serving.telemetry.Telemetry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A gateway, prefill nodes and decode nodes on loopback, each a real gRPC service, on one set of weights. */
public final class Cluster implements AutoCloseable {

    private static final Duration READY_WITHIN = Duration.ofSeconds(30);

    private final EngineHost host;
    private final Telemetry telemetry = Telemetry.silent();
    private final List<PrefillNode> prefillNodes = new ArrayList<>();
    private final List<DecodeNode> decodeNodes = new ArrayList<>();
    private final GatewayNode gateway;
    private final BatonClient client;

    private Cluster(Path model, HostOptions hostOptions, EngineOptions engine, int prefill, int decode)
            throws InterruptedException {
        host = EngineHost.open(model, hostOptions, LoadProgress.NONE);
        ServedModel served;
        try (ModelFile file = ModelFile.open(model)) {
            served = ServedModel.of(file);
        }
        ListenSettings loopback = ListenSettings.loopback();
        for (int i = 0; i < prefill; i++) {
            prefillNodes.add(PrefillNode.start(PrefillSettings.of("prefill-" + i, loopback, engine), host));
        }
        List<String> prefillAddresses =
                prefillNodes.stream().map(node -> "127.0.0.1:" + node.port()).toList();
        for (int i = 0; i < decode; i++) {
            DecodeSettings settings = DecodeSettings.of("decode-" + i, loopback, engine, prefillAddresses);
            decodeNodes.add(DecodeNode.start(settings, host, served.tokenizer(), telemetry));
        }
        List<String> decodeAddresses =
                decodeNodes.stream().map(node -> "127.0.0.1:" + node.port()).toList();
        gateway = GatewayNode.start(GatewaySettings.of(loopback, decodeAddresses, prefillAddresses), served, telemetry);
        client = BatonClient.to(target()).deadline(Duration.ofMinutes(2)).build();
        if (!gateway.awaitEveryNode(READY_WITHIN)) {
            throw new IllegalStateException("not ready: " + gateway.clusterSummary());
        }
    }

    /** One prefill node and one decode node. */
    public static Cluster start(Path model, HostOptions host, EngineOptions engine) throws InterruptedException {
        return start(model, host, engine, 1, 1);
    }

    public static Cluster start(Path model, HostOptions host, EngineOptions engine, int prefill, int decode)
            throws InterruptedException {
        return new Cluster(model, host, engine, prefill, decode);
    }

    /** Where clients connect. */
    public String target() {
        return "127.0.0.1:" + gateway.port();
    }

    public BatonClient client() {
        return client;
    }

    public EngineHost host() {
        return host;
    }

    public List<PrefillNode> prefillNodes() {
        return prefillNodes;
    }

    public List<DecodeNode> decodeNodes() {
        return decodeNodes;
    }

    /** Checks every engine's invariants. */
    public void checkInvariants() {
        prefillNodes.forEach(node -> node.engine().checkInvariants());
        decodeNodes.forEach(node -> node.engine().checkInvariants());
    }

    @Override
    public void close() {
        client.close();
        gateway.close();
        decodeNodes.forEach(DecodeNode::close);
        prefillNodes.forEach(PrefillNode::close);
        host.close();
        telemetry.close();
    }
}

package io.baton.e2e.errors;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.baton.decode.DecodeNode;
import io.baton.decode.DecodeSettings;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.gateway.GatewayNode;
import io.baton.gateway.GatewaySettings;
import io.baton.gateway.ServedModel;
import io.baton.model.files.ModelFile;
import io.baton.prefill.PrefillNode;
import io.baton.prefill.PrefillSettings;
import io.baton.proto.v1.SequenceFingerprint;
import io.baton.serving.Fingerprints;
import io.baton.serving.ListenSettings;
import io.baton.serving.TlsSettings;
import io.baton.serving.telemetry.Telemetry;
import io.baton.testing.TinyModel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** What the rows of the table of errors speak of: files, clusters, ports, certificates; each under a name. */
final class Scene implements AutoCloseable {

    private static final int CONTEXT = 512;
    private static final int BLOCK_TOKENS = 16;
    private static final int BLOCKS = 8;
    private static final Duration READY = Duration.ofSeconds(30);

    private final Map<String, String> byName = new LinkedHashMap<>();
    private final Deque<AutoCloseable> open = new ArrayDeque<>(); // closed last first
    private final Path folder;
    private final ListenSettings loopback = ListenSettings.loopback();

    private Scene(Path folder) {
        this.folder = folder;
    }

    /** Everything there is; nothing is computed yet. */
    static Scene in(Path folder) throws Exception {
        Scene scene = new Scene(folder);
        try {
            scene.build();
            return scene;
        } catch (Exception e) {
            scene.close();
            throw e;
        }
    }

    /** What a name stands for. */
    String resolve(String name) {
        String found = byName.get(name);
        if (found == null) {
            throw new IllegalArgumentException("{%s} is unknown; known are %s".formatted(name, byName.keySet()));
        }
        return found;
    }

    Set<String> names() {
        return byName.keySet();
    }

    private void build() throws Exception {
        Path models = Files.createDirectories(folder.resolve("models"));
        BrokenModels.writeTo(models);
        settingsFiles();
        try (var files = Files.list(models)) {
            files.forEach(file -> byName.put(models.relativize(file).toString(), file.toString()));
        }
        byName.remove("overflowing.gguf"); // served, not named
        byName.put("no-such.gguf", folder.resolve("no-such.gguf").toString());
        Path model = TinyModel.ofContext(CONTEXT).writeTo(folder.resolve("tiny.gguf"));
        file("long-prompt.txt", "\u00e4".repeat(CONTEXT)); // two byte tokens each
        ServerSocket taken = opened(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        byName.put("taken", String.valueOf(taken.getLocalPort()));
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            byName.put("nobody", "127.0.0.1:" + free.getLocalPort());
        }
        EngineHost host = opened(EngineHost.open(model, HostOptions.defaults(), LoadProgress.NONE));
        ServedModel served = served(model);
        cluster(host, served);
        mixedCluster(host, served);
        byName.put("gateway-without-nodes", address(gateway(loopback, served, List.of(resolve("nobody")), List.of())));
        overflowingCluster(models.resolve("overflowing.gguf"));
        tls(served);
    }

    private void settingsFiles() throws IOException {
        file("unknown-key.yaml", "chunk_tokens: 64\n");
        file("twice.properties", "threads=1\nthreads=2\n");
        file("broken.yaml", "threads: [1\n");
        file("settings.txt", "threads=1\n");
        byName.put("no-such.yaml", folder.resolve("no-such.yaml").toString());
    }

    private void file(String name, String content) throws IOException {
        byName.put(name, Files.writeString(folder.resolve(name), content).toString());
    }

    private void cluster(EngineHost host, ServedModel served) throws Exception {
        EngineOptions options = options(host, KvType.F32);
        PrefillNode prefill = opened(PrefillNode.start(PrefillSettings.of("prefill", loopback, options), host));
        List<String> prefills = List.of("127.0.0.1:" + prefill.port());
        DecodeNode decode = opened(
                DecodeNode.start(DecodeSettings.of("decode", loopback, options, prefills), host, served.tokenizer()));
        List<String> decodes = List.of("127.0.0.1:" + decode.port());
        GatewayNode gateway = gateway(loopback, served, decodes, prefills);
        awaitReady(gateway);
        byName.put("gateway", address(gateway));
        byName.put("decode", decodes.getFirst());
        byName.put("prefill", prefills.getFirst());
        SequenceFingerprint fingerprint = Fingerprints.toProto(decode.engine().fingerprint());
        byName.put(
                "fingerprint-with-kv-q8",
                json(fingerprint.toBuilder()
                        .setNumerics(fingerprint.getNumerics().replace("kv=f32", "kv=q8"))
                        .build()));
    }

    /** A prefill node that keeps its KV in another type than the decode node. */
    private void mixedCluster(EngineHost host, ServedModel served) throws Exception {
        PrefillNode prefill =
                opened(PrefillNode.start(PrefillSettings.of("prefill-q8", loopback, options(host, KvType.Q8)), host));
        List<String> prefills = List.of("127.0.0.1:" + prefill.port());
        DecodeNode decode = opened(DecodeNode.start(
                DecodeSettings.of("decode-f32", loopback, options(host, KvType.F32), prefills),
                host,
                served.tokenizer()));
        GatewayNode gateway = gateway(loopback, served, List.of("127.0.0.1:" + decode.port()), prefills);
        awaitReady(gateway);
        byName.put("gateway-of-two-kv-dtypes", address(gateway));
    }

    private void overflowingCluster(Path model) throws Exception {
        EngineHost host = opened(EngineHost.open(model, HostOptions.defaults(), LoadProgress.NONE));
        ServedModel served = served(model);
        EngineOptions options = new EngineOptions(BLOCK_TOKENS, KvType.F32, 32, OptionalLong.of(1 << 20), 4, 4);
        DecodeNode decode = opened(DecodeNode.start(
                DecodeSettings.of("decode-overflowing", loopback, options, List.of()), host, served.tokenizer()));
        GatewayNode gateway = gateway(loopback, served, List.of("127.0.0.1:" + decode.port()), List.of());
        awaitReady(gateway);
        byName.put("gateway-of-an-overflowing-model", address(gateway));
    }

    private void tls(ServedModel served) throws Exception {
        SelfSigned ours = SelfSigned.create(folder, "ours", "dns:gateway.ours.baton,ip:127.0.0.1");
        SelfSigned theirs = SelfSigned.create(folder, "theirs", "dns:gateway.theirs.baton");
        byName.put("ours.pem", ours.certificate().toString());
        byName.put("theirs.pem", theirs.certificate().toString());
        byName.put("ours.key", ours.key().toString());
        for (boolean mutual : List.of(false, true)) {
            TlsSettings tls = new TlsSettings(
                    Optional.of(ours.certificate()),
                    Optional.of(ours.key()),
                    mutual ? Optional.of(ours.certificate()) : Optional.empty(),
                    "ours",
                    false);
            ListenSettings listen = new ListenSettings("127.0.0.1", 0, Optional.empty(), tls);
            GatewayNode gateway = gateway(listen, served, List.of(resolve("nobody")), List.of());
            byName.put(mutual ? "gateway-with-mutual-tls" : "gateway-with-tls", address(gateway));
        }
    }

    private static EngineOptions options(EngineHost host, KvType kv) {
        long blockBytes =
                host.kvLayout(kv, BLOCK_TOKENS).unitBytes() * host.shape().layers();
        return new EngineOptions(BLOCK_TOKENS, kv, 32, OptionalLong.of(BLOCKS * blockBytes), 4, 4);
    }

    private static ServedModel served(Path model) {
        try (ModelFile file = ModelFile.open(model)) {
            return ServedModel.of(file);
        }
    }

    private GatewayNode gateway(
            ListenSettings listen, ServedModel served, List<String> decodes, List<String> prefills) {
        return opened(GatewayNode.start(GatewaySettings.of(listen, decodes, prefills), served, Telemetry.silent()));
    }

    private static void awaitReady(GatewayNode gateway) throws InterruptedException {
        if (!gateway.awaitEveryNode(READY)) {
            throw new IllegalStateException(gateway.clusterSummary());
        }
    }

    private static String address(GatewayNode gateway) {
        return "127.0.0.1:" + gateway.port();
    }

    private static String json(Message message) {
        try {
            return JsonFormat.printer().omittingInsignificantWhitespace().print(message);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private <T extends AutoCloseable> T opened(T resource) {
        open.push(resource);
        return resource;
    }

    @Override
    public void close() throws IOException {
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                throw new IOException("cannot take the scene down", e);
            }
        }
    }
}

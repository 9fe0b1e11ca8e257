package io.baton.cli;

import io.baton.client.BatonClient;
import io.baton.serving.PeerRole;
import io.baton.serving.TlsSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which gateway, and how to reach it. */
final class TargetOptions {

    @Option(names = "--target", paramLabel = "HOST:PORT", required = true, description = "A gateway's gRPC port")
    private String target = "";

    @Option(
            names = "--tls-trust",
            paramLabel = "PATH",
            description = "PEM certificates of the authority that signed the gateway's; turns TLS on")
    private @Nullable Path trust;

    @Option(
            names = "--tls-certificate",
            paramLabel = "PATH",
            description = "PEM certificate chain to show to the gateway")
    private @Nullable Path certificate;

    @Option(names = "--tls-key", paramLabel = "PATH", description = "PEM private key (PKCS#8) of the certificate")
    private @Nullable Path key;

    @Option(
            names = "--tls-release",
            paramLabel = "TEXT",
            description = "Expect the gateway to be named gateway.TEXT.baton, instead of the target's host")
    private @Nullable String release;

    String target() {
        return target;
    }

    BatonClient connect() {
        BatonClient.Builder client = BatonClient.to(target);
        Stream.of(trust, certificate, key).forEach(TargetOptions::requireReadable);
        if (trust != null) {
            if (certificate != null && key != null) {
                client.tls(trust, certificate, key);
            } else {
                client.tls(trust);
            }
            if (release != null) {
                client.authority(new TlsSettings(Optional.empty(), Optional.empty(), Optional.empty(), release, false)
                        .peerName(PeerRole.GATEWAY));
            }
        }
        return client.build();
    }

    private static void requireReadable(@Nullable Path file) {
        if (file != null && !Files.isReadable(file)) {
            throw new CommandException("expected a readable file at " + file);
        }
    }
}

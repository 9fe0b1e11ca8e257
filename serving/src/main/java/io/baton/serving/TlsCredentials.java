package io.baton.serving;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * TLS credentials whose files are looked at every minute and read again when they have changed, so that a certificate
 * is renewed without a restart: new connections use the new one. Closing stops the looking.
 */
final class TlsCredentials implements AutoCloseable {

    private static final long CHECK_MINUTES = 1;

    private final TlsSettings tls;
    private final ScheduledExecutorService checks;

    private TlsCredentials(TlsSettings tls, ScheduledExecutorService checks) {
        this.tls = tls;
        this.checks = checks;
    }

    static TlsCredentials of(TlsSettings tls) {
        return of(
                tls,
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("tls-files").factory()));
    }

    /** @param checks shut down by {@link #close} */
    static TlsCredentials of(TlsSettings tls, ScheduledExecutorService checks) {
        return new TlsCredentials(tls, checks);
    }

    ServerCredentials forServer() {
        if (!tls.servesTls()) {
            return InsecureServerCredentials.create();
        }
        TlsServerCredentials.Builder builder = TlsServerCredentials.newBuilder().keyManager(identity());
        if (tls.isMutual()) {
            // A caller's name is judged by RoleGuard, which knows what it calls.
            builder.trustManager(trust(Verification.CERTIFICATE_ONLY_VERIFICATION))
                    .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE);
        }
        return builder.build();
    }

    ChannelCredentials forChannels() {
        if (!tls.dialsTls()) {
            return InsecureChannelCredentials.create();
        }
        TlsChannelCredentials.Builder builder = TlsChannelCredentials.newBuilder()
                .trustManager(trust(Verification.CERTIFICATE_AND_HOST_NAME_VERIFICATION));
        if (tls.servesTls()) {
            builder.keyManager(identity());
        }
        return builder.build();
    }

    private AdvancedTlsX509KeyManager identity() {
        File certificate = readable("tls-certificate", tls.certificate().orElseThrow());
        File key = readable("tls-key", tls.key().orElseThrow());
        try {
            AdvancedTlsX509KeyManager identity = new AdvancedTlsX509KeyManager();
            identity.updateIdentityCredentials(certificate, key, CHECK_MINUTES, TimeUnit.MINUTES, checks);
            return identity;
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new ServingException(
                    "tls-certificate %s and tls-key %s cannot be used: %s; expected PEM, a certificate chain and its PKCS#8 key"
                            .formatted(certificate, key, e.getMessage()),
                    e);
        }
    }

    private AdvancedTlsX509TrustManager trust(Verification verification) {
        File file = readable("tls-trust", tls.trust().orElseThrow());
        try {
            AdvancedTlsX509TrustManager trust = AdvancedTlsX509TrustManager.newBuilder()
                    .setVerification(verification)
                    .build();
            trust.updateTrustCredentials(file, CHECK_MINUTES, TimeUnit.MINUTES, checks);
            return trust;
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new ServingException(
                    "tls-trust %s cannot be used: %s; expected PEM certificates".formatted(file, e.getMessage()), e);
        }
    }

    private static File readable(String setting, Path file) {
        if (!Files.isReadable(file)) {
            throw new ServingException("%s: expected a readable file, found none at %s".formatted(setting, file));
        }
        return file.toFile();
    }

    @Override
    public void close() {
        checks.shutdownNow();
    }
}

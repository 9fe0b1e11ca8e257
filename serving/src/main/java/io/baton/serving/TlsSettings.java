package io.baton.serving;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How connections are secured. With certificate and key a server speaks TLS; with trust as well, both sides show
 * certificates (mutual TLS) and callers are authorised by the role that theirs names.
 *
 * @param certificate PEM chain of this process, one DNS name per role: {@code <role>.<release>.baton}
 * @param key PEM private key (PKCS#8)
 * @param trust PEM certificates of the authority that signs the peers
 * @param release the {@code <release>} in role names; peers are verified by role name, not by address
 * @param insecure allow plaintext beyond loopback
 */
public record TlsSettings(
        Optional<Path> certificate, Optional<Path> key, Optional<Path> trust, String release, boolean insecure) {

    public static final Setting<Optional<Path>> CERTIFICATE = Setting.path(
                    "tls-certificate", "PEM certificate chain of this process")
            .optional();
    public static final Setting<Optional<Path>> KEY = Setting.path(
                    "tls-key", "PEM private key (PKCS#8) of the certificate")
            .optional();
    public static final Setting<Optional<Path>> TRUST = Setting.path(
                    "tls-trust",
                    "PEM certificates of the authority that signs peers; servers then require client certificates")
            .optional();
    public static final Setting<String> RELEASE = Setting.text(
                    "tls-release", "Release in the names of peers' certificates, <role>.<release>.baton")
            .withDefault("baton");
    public static final Setting<Boolean> INSECURE =
            Setting.flag("insecure", "Allow plaintext on addresses other than loopback");

    public static final List<Setting<?>> SETTINGS = List.of(CERTIFICATE, KEY, TRUST, RELEASE, INSECURE);

    public TlsSettings {
        if (certificate.isPresent() != key.isPresent()) {
            throw new SettingsException("tls-certificate and tls-key belong together: found only "
                    + (certificate.isPresent() ? "tls-certificate" : "tls-key"));
        }
        if (!release.matches("[a-z0-9]([a-z0-9-]*[a-z0-9])?")) {
            throw new SettingsException("tls-release: expected a DNS label, found \"" + release + "\"");
        }
    }

    /** Plaintext, on loopback only. */
    public static TlsSettings plaintext() {
        return new TlsSettings(Optional.empty(), Optional.empty(), Optional.empty(), "baton", false);
    }

    public static TlsSettings from(Settings settings) {
        return new TlsSettings(
                settings.value(CERTIFICATE),
                settings.value(KEY),
                settings.value(TRUST),
                settings.value(RELEASE),
                settings.value(INSECURE));
    }

    /** Whether a server with these settings speaks TLS. */
    public boolean servesTls() {
        return certificate.isPresent();
    }

    /** Whether a server with these settings asks callers for certificates. */
    public boolean isMutual() {
        return servesTls() && trust.isPresent();
    }

    /** Whether a channel with these settings speaks TLS. */
    public boolean dialsTls() {
        return trust.isPresent();
    }

    /** The DNS name in the certificate of a peer with this role. */
    public String peerName(PeerRole role) {
        return role.label() + "." + release + ".baton";
    }
}

package io.baton.e2e.fault;

import io.baton.serving.PeerRole;
import io.baton.serving.TlsSettings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** A certificate that signs itself and names every role: mutual TLS for a cluster of one test. */
final class SharedCertificate {

    private static final String RELEASE = "test";
    private static final String ALIAS = "tls";
    private static final String PASSWORD = "changeit";

    private SharedCertificate() {}

    /** Makes it with the JDK's keytool; its files lie in {@code folder}. */
    static TlsSettings in(Path folder) throws IOException, InterruptedException, GeneralSecurityException {
        Path store = folder.resolve("keys.p12");
        String names = Arrays.stream(PeerRole.values())
                .map(role -> "dns:%s.%s.baton".formatted(role.label(), RELEASE))
                .collect(Collectors.joining(","));
        Process keytool = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        ALIAS,
                        "-dname",
                        "CN=test",
                        "-keyalg",
                        "EC",
                        "-ext",
                        "san=" + names,
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        PASSWORD))
                .inheritIO()
                .start();
        if (keytool.waitFor() != 0) {
            throw new IllegalStateException("keytool failed, see above");
        }
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        Path certificate = Files.writeString(
                folder.resolve("tls.pem"),
                pem("CERTIFICATE", keys.getCertificate(ALIAS).getEncoded()));
        Path key = Files.writeString(
                folder.resolve("tls.key"),
                pem("PRIVATE KEY", keys.getKey(ALIAS, PASSWORD.toCharArray()).getEncoded()));
        return new TlsSettings(Optional.of(certificate), Optional.of(key), Optional.of(certificate), RELEASE, false);
    }

    private static String pem(String what, byte[] der) {
        Base64.Encoder lines = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(what, lines.encodeToString(der), what);
    }
}

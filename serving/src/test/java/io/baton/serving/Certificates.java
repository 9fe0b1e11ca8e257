package io.baton.serving;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A certificate authority made for one test, and the certificates it signs. Uses the JDK's keytool. */
final class Certificates {

    private static final String PASSWORD = "changeit";

    private final Path folder;

    private Certificates(Path folder) {
        this.folder = folder;
    }

    static Certificates in(Path folder) throws Exception {
        Certificates certificates = new Certificates(folder);
        certificates.keytool("-alias", "ca", "-dname", "CN=test authority", "-ext", "bc:c=ca:true");
        Files.writeString(folder.resolve("ca.pem"), certificates.chain("ca"));
        return certificates;
    }

    /** TLS settings with a certificate whose only DNS name is {@code <label>.baton.baton}. */
    TlsSettings forRole(String label) throws Exception {
        keytool("-alias", label, "-dname", "CN=" + label, "-signer", "ca", "-ext", "san=dns:" + label + ".baton.baton");
        Path certificate = Files.writeString(folder.resolve(label + ".pem"), chain(label));
        Key key = keys().getKey(label, PASSWORD.toCharArray());
        Path keyFile = Files.writeString(folder.resolve(label + ".key"), pem("PRIVATE KEY", key.getEncoded()));
        return new TlsSettings(
                Optional.of(certificate), Optional.of(keyFile), Optional.of(folder.resolve("ca.pem")), "baton", false);
    }

    private String chain(String alias) throws IOException, GeneralSecurityException {
        StringBuilder chain = new StringBuilder();
        for (Certificate certificate : keys().getCertificateChain(alias)) {
            chain.append(pem("CERTIFICATE", certificate.getEncoded()));
        }
        return chain.toString();
    }

    private KeyStore keys() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve("keys.p12"))) {
            store.load(in, PASSWORD.toCharArray());
        }
        return store;
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(what, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der), what);
    }

    private void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-genkeypair", "-keyalg", "EC", "-validity", "1"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", folder.resolve("keys.p12").toString(), "-storepass", PASSWORD));
        Path output = folder.resolve("keytool.log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IllegalStateException(command + " failed: " + Files.readString(output));
        }
    }
}

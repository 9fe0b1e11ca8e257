package io.baton.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code baton up} as a process of its own: what it prints, that it serves, and how it ends. */
@Timeout(120)
class UpProcessTest {

    private final List<Process> started = new ArrayList<>();

    @TempDir
    Path folder;

    private Path errors;

    @BeforeEach
    void nameTheLog() {
        errors = folder.resolve("stderr.txt");
    }

    @AfterEach
    void endWhatIsLeft() {
        started.forEach(Process::destroyForcibly);
    }

    @Test
    void aClusterOfSeveralNodesSaysItsPortsServesAndStopsOnSigtermWithZero() throws Exception {
        Process up = baton(
                "up",
                "--prefill=2",
                "--decode=2",
                "--health-port=0",
                "--metrics-port=0",
                "--pool-bytes=4MiB",
                "--block-tokens=16");
        try (BufferedReader out = up.inputReader()) {
            List<String> ports = lines(out, 7);
            assertThat(ports)
                    .extracting(line -> line.replaceAll(":[1-9]\\d*$", ":PORT"))
                    .containsExactly(
                            "gateway grpc 127.0.0.1:PORT",
                            "gateway health 127.0.0.1:PORT",
                            "prefill-0 grpc 127.0.0.1:PORT",
                            "prefill-1 grpc 127.0.0.1:PORT",
                            "decode-0 grpc 127.0.0.1:PORT",
                            "decode-1 grpc 127.0.0.1:PORT",
                            "up metrics 127.0.0.1:PORT");
            BatonUnderTest generate = BatonUnderTest.plain();
            assertThat(generate.run(
                            "generate",
                            "--target",
                            address(ports),
                            "--prefill-mode=remote",
                            "--max-tokens=5",
                            "--json",
                            "Once upon a time"))
                    .as(generate.err())
                    .isZero();
            assertThat(generate.out().lines()).hasSize(6);
            assertThat(generate.out()).contains("\"reason\":\"REQUESTED\"");
            up.destroy(); // SIGTERM
            assertThat(up.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(up.exitValue()).as(Files.readString(errors)).isZero();
        }
    }

    @Test
    void underMutualTlsEveryHopShowsACertificate() throws Exception {
        Path certificate = folder.resolve("tls.pem");
        Path key = folder.resolve("tls.key");
        certificate(certificate, key);
        String[] tls = {
            "--tls-certificate=" + certificate, "--tls-key=" + key, "--tls-trust=" + certificate, "--tls-release=test"
        };
        Process up = baton(with(tls, "up", "--host=0.0.0.0", "--pool-bytes=4MiB", "--block-tokens=16"));
        try (BufferedReader out = up.inputReader()) {
            String target = address(lines(out, 3)).replace("0.0.0.0", "127.0.0.1");
            BatonUnderTest trusted = BatonUnderTest.plain();
            assertThat(trusted.run(with(
                            tls, "generate", "--target=" + target, "--prefill-mode=remote", "--max-tokens=5", "Once")))
                    .as(trusted.err())
                    .isZero();
            BatonUnderTest stranger = BatonUnderTest.plain();
            assertThat(stranger.run("generate", "--target=" + target, "--max-tokens=5", "Once"))
                    .isEqualTo(1);
            assertThat(stranger.err()).contains("UNAVAILABLE");
        }
    }

    @Test
    void theExitCodeIsTwoForAUsageErrorAndOneForAFailure() throws Exception {
        assertThat(baton("up", "--kv-dtype=f64").waitFor()).isEqualTo(2);
        assertThat(Files.readString(errors)).contains("kv-dtype (flag --kv-dtype): expected f32, bf16");
        assertThat(baton("inspect", "no-such.gguf").waitFor()).isEqualTo(1);
        assertThat(Files.readString(errors)).contains("no-such.gguf: found no such file");
    }

    private Process baton(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                "io.baton.cli.Baton"));
        command.addAll(List.of(arguments));
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        started.add(process);
        return process;
    }

    private List<String> lines(BufferedReader out, int count) throws Exception {
        List<String> lines = new ArrayList<>();
        while (lines.size() < count) {
            String line = out.readLine();
            assertThat(line)
                    .as("a line; stderr says: %s", Files.readString(errors))
                    .isNotNull();
            lines.add(line);
        }
        return lines;
    }

    private static String address(List<String> ports) {
        return ports.getFirst().substring("gateway grpc ".length());
    }

    private static String[] with(String[] further, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(1, List.of(further));
        return all.toArray(String[]::new);
    }

    /** A self-signed certificate that names every role, by the JDK's keytool. */
    private void certificate(Path certificate, Path key) throws Exception {
        Path store = folder.resolve("keys.p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "tls",
                        "-dname",
                        "CN=test",
                        "-keyalg",
                        "EC",
                        "-ext",
                        "san=dns:gateway.test.baton,dns:decode.test.baton,dns:prefill.test.baton",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        "changeit")
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, "changeit".toCharArray());
        }
        Key privateKey = keys.getKey("tls", "changeit".toCharArray());
        Files.writeString(
                certificate, pem("CERTIFICATE", keys.getCertificate("tls").getEncoded()));
        Files.writeString(key, pem("PRIVATE KEY", privateKey.getEncoded()));
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(what, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der), what);
    }
}

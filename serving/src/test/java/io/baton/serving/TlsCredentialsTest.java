package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.testing.ManualScheduler;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsCredentialsTest {

    @TempDir
    Path folder;

    @Test
    void renewedFilesAreReadWithoutARestart() throws Exception {
        TlsSettings before =
                Certificates.in(Files.createDirectory(folder.resolve("before"))).forRole("decode");
        TlsSettings after =
                Certificates.in(Files.createDirectory(folder.resolve("after"))).forRole("decode");
        ManualScheduler minutes = new ManualScheduler();
        ListenSettings listen = new ListenSettings("127.0.0.1", 0, Optional.empty(), after);
        try (GrpcServer server = GrpcServer.builder("test", listen).start();
                Channels channels = new Channels(before, TlsCredentials.of(before, minutes))) {
            String target = "127.0.0.1:" + server.port();
            assertThatThrownBy(() -> check(health(channels, target))).hasMessageContaining("UNAVAILABLE");

            replace(after.certificate(), before.certificate());
            replace(after.key(), before.key());
            replace(after.trust(), before.trust());
            minutes.advance(Duration.ofMinutes(1));
            channels.redial(target);
            check(health(channels, target).withWaitForReady()); // until the channel has tried again
        }
    }

    @Test
    void aFileThatIsNoCertificateIsNamed() throws Exception {
        Path garbage = Files.writeString(folder.resolve("garbage.pem"), "not PEM");
        TlsSettings tls =
                new TlsSettings(Optional.of(garbage), Optional.of(garbage), Optional.of(garbage), "baton", false);
        try (TlsCredentials credentials = TlsCredentials.of(tls)) {
            assertThatThrownBy(credentials::forServer)
                    .isInstanceOf(ServingException.class)
                    .hasMessageContaining("garbage.pem");
            assertThatThrownBy(credentials::forChannels).isInstanceOf(ServingException.class);
        }
    }

    private static HealthGrpc.HealthBlockingStub health(Channels channels, String target) {
        return HealthGrpc.newBlockingStub(channels.control(target, PeerRole.DECODE))
                .withDeadlineAfter(20, TimeUnit.SECONDS);
    }

    private static void check(HealthGrpc.HealthBlockingStub health) {
        assertThat(health.check(HealthCheckRequest.getDefaultInstance()).getStatus())
                .isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
    }

    private static void replace(Optional<Path> with, Optional<Path> file) throws Exception {
        Files.copy(with.orElseThrow(), file.orElseThrow(), StandardCopyOption.REPLACE_EXISTING);
        Files.setLastModifiedTime(
                file.orElseThrow(), FileTime.from(Instant.now().plusSeconds(10)));
    }
}

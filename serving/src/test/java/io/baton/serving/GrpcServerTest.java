package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.RetryInfo;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.TokenizeRequest;
import io.baton.proto.v1.TokenizeResponse;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GrpcServerTest {

    /** Answers with the text's length, or fails as the text says. */
    private static final class Tokenizer extends InferenceGrpc.InferenceImplBase {
        final CountDownLatch entered = new CountDownLatch(1);
        final CountDownLatch release = new CountDownLatch(1);

        @Override
        public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> response) {
            switch (request.getText()) {
                case "argument" -> throw new IllegalArgumentException("text: expected something else");
                case "defect" -> throw new IllegalStateException("a secret detail");
                case "busy" ->
                    throw Statuses.retryAfter(Status.Code.RESOURCE_EXHAUSTED, "busy", Duration.ofMillis(1500));
                case "wait" -> {
                    entered.countDown();
                    awaitQuietly(release);
                }
                default -> {}
            }
            response.onNext(TokenizeResponse.newBuilder()
                    .addTokenIds(request.getText().length())
                    .addTokenIds(Thread.currentThread().isVirtual() ? 1 : 0)
                    .build());
            response.onCompleted();
        }
    }

    private final Tokenizer tokenizer = new Tokenizer();
    private final Channels channels = new Channels(TlsSettings.plaintext());

    @TempDir
    Path folder;

    @AfterEach
    void closeChannels() {
        tokenizer.release.countDown();
        channels.close();
    }

    @Test
    void callsReachTheServiceOnVirtualThreads() {
        try (GrpcServer server = server(ListenSettings.loopback())) {
            assertThat(tokenize(server, "four").getTokenIdsList()).containsExactly(4, 1);
        }
    }

    @Test
    void healthIsToldByServiceAndLivenessOutlivesDraining() {
        try (GrpcServer server = server(ListenSettings.loopback())) {
            Channel channel = control(server);
            for (String service : List.of("", "readiness", "liveness", "baton.v1.Inference")) {
                assertThat(health(channel, service)).as(service).isEqualTo(ServingStatus.SERVING);
            }
            server.health().ready(false);
            assertThat(health(channel, "readiness")).isEqualTo(ServingStatus.NOT_SERVING);
            server.health().ready(true);
            assertThat(health(channel, "readiness")).isEqualTo(ServingStatus.SERVING);

            server.markDraining();
            server.health().ready(true);
            for (String service : List.of("", "readiness", "baton.v1.Inference")) {
                assertThat(health(channel, service)).as(service).isEqualTo(ServingStatus.NOT_SERVING);
            }
            assertThat(health(channel, "liveness")).isEqualTo(ServingStatus.SERVING);
            assertThat(tokenize(server, "four").getTokenIdsCount()).isEqualTo(2);
        }
    }

    @Test
    void reflectionNamesTheServices() throws Exception {
        try (GrpcServer server = server(ListenSettings.loopback())) {
            CompletableFuture<List<String>> names = new CompletableFuture<>();
            StreamObserver<ServerReflectionRequest> requests = ServerReflectionGrpc.newStub(control(server))
                    .serverReflectionInfo(new StreamObserver<>() {
                        @Override
                        public void onNext(ServerReflectionResponse response) {
                            names.complete(response.getListServicesResponse().getServiceList().stream()
                                    .map(ServiceResponse::getName)
                                    .toList());
                        }

                        @Override
                        public void onError(Throwable thrown) {
                            names.completeExceptionally(thrown);
                        }

                        @Override
                        public void onCompleted() {}
                    });
            requests.onNext(
                    ServerReflectionRequest.newBuilder().setListServices("").build());
            assertThat(names.get(10, TimeUnit.SECONDS)).contains("baton.v1.Inference", "grpc.health.v1.Health");
            requests.onCompleted();
        }
    }

    @Test
    void aTakenPortIsNamedWithWhatToChange() {
        try (GrpcServer first = server(ListenSettings.loopback())) {
            ListenSettings taken =
                    new ListenSettings("127.0.0.1", first.port(), Optional.empty(), TlsSettings.plaintext());
            assertThatThrownBy(() -> server(taken))
                    .isInstanceOf(ServingException.class)
                    .hasMessage(
                            "test: port %d of 127.0.0.1 is taken by another process; stop that one or choose another"
                                    + " port with --port (0 picks a free one)",
                            first.port());
            ListenSettings takenHealth =
                    new ListenSettings("127.0.0.1", 0, Optional.of(first.port()), TlsSettings.plaintext());
            assertThatThrownBy(() -> server(takenHealth)).hasMessageContaining("--health-port");
        }
    }

    @Test
    void plaintextBeyondLoopbackIsRefusedUnlessInsecureIsGiven() {
        assertThatThrownBy(() -> server(new ListenSettings("0.0.0.0", 0, Optional.empty(), TlsSettings.plaintext())))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("refusing to listen on 0.0.0.0 without TLS")
                .hasMessageContaining("--insecure");
        TlsSettings insecure = new TlsSettings(Optional.empty(), Optional.empty(), Optional.empty(), "baton", true);
        try (GrpcServer server = server(new ListenSettings("0.0.0.0", 0, Optional.empty(), insecure))) {
            assertThat(tokenize(server, "four").getTokenIds(0)).isEqualTo(4);
        }
    }

    @Test
    void anUnknownHostIsNamed() {
        ListenSettings nowhere =
                new ListenSettings("no.such.host.invalid", 0, Optional.empty(), TlsSettings.plaintext());
        assertThatThrownBy(() -> server(nowhere)).hasMessageContaining("host no.such.host.invalid is unknown");
    }

    @Test
    void theHealthPortServesHealthAndNothingElse() {
        ListenSettings listen = new ListenSettings("127.0.0.1", 0, Optional.of(0), TlsSettings.plaintext());
        try (GrpcServer server = server(listen)) {
            Channel probe = channels.control("127.0.0.1:" + server.healthPort().orElseThrow(), PeerRole.DECODE);
            assertThat(health(probe, "baton.v1.Inference")).isEqualTo(ServingStatus.SERVING);
            assertThat(status(() -> tokenize(probe, "four"))).isEqualTo(Status.Code.UNIMPLEMENTED);
        }
    }

    @Test
    void exceptionsOfAServiceBecomeStatusesAndDefectsKeepTheirDetailsToThemselves() {
        try (GrpcServer server = server(ListenSettings.loopback())) {
            assertThat(failure(server, "argument").getStatus().toString())
                    .contains("INVALID_ARGUMENT", "text: expected something else");
            assertThat(failure(server, "defect").getStatus().toString())
                    .contains("INTERNAL")
                    .doesNotContain("a secret detail");
        }
    }

    @Test
    void aRefusalSaysWhenToComeBack() throws Exception {
        try (GrpcServer server = server(ListenSettings.loopback())) {
            com.google.rpc.Status details = StatusProto.fromThrowable(failure(server, "busy"));
            assertThat(details).isNotNull();
            RetryInfo retry = details.getDetails(0).unpack(RetryInfo.class);
            assertThat(retry.getRetryDelay().getSeconds()).isEqualTo(1);
            assertThat(retry.getRetryDelay().getNanos()).isEqualTo(500_000_000);
        }
    }

    @Test
    void aMessageBeyondTheLimitIsRefused() {
        ServerLimits small = new ServerLimits(1000, 8192, 10, Duration.ofSeconds(5), 65_535);
        try (GrpcServer server = GrpcServer.builder("test", ListenSettings.loopback())
                .service(tokenizer)
                .limits(small)
                .start()) {
            assertThat(tokenize(server, "x".repeat(900)).getTokenIds(0)).isEqualTo(900);
            assertThat(status(() -> tokenize(server, "x".repeat(1100)))).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        }
    }

    @Test
    void aDrainWaitsForRunningCallsAndRefusesNewOnes() throws Exception {
        GrpcServer server = server(ListenSettings.loopback());
        Channel channel = control(server);
        CompletableFuture<TokenizeResponse> running = CompletableFuture.supplyAsync(() -> tokenize(channel, "wait"));
        assertThat(tokenizer.entered.await(10, TimeUnit.SECONDS)).isTrue();
        CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> server.drain(Duration.ofSeconds(30)));
        tokenizer.release.countDown();
        assertThat(running.get(10, TimeUnit.SECONDS).getTokenIds(0)).isEqualTo(4);
        assertThat(drained.get(10, TimeUnit.SECONDS)).isTrue();
        assertThat(status(() -> tokenize(channel, "four"))).isEqualTo(Status.Code.UNAVAILABLE);
    }

    @Test
    void aDrainThatRunsOutOfTimeCancelsWhatIsLeft() throws Exception {
        GrpcServer server = server(ListenSettings.loopback());
        Channel channel = control(server);
        CompletableFuture<Status.Code> running =
                CompletableFuture.supplyAsync(() -> status(() -> tokenize(channel, "wait")));
        assertThat(tokenizer.entered.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(server.drain(Duration.ofMillis(20))).isFalse();
        assertThat(running.get(10, TimeUnit.SECONDS)).isIn(Status.Code.UNAVAILABLE, Status.Code.CANCELLED);
    }

    @Test
    void underMutualTlsAServiceAnswersOnlyTheRolesItIsFor() throws Exception {
        Certificates certificates = Certificates.in(folder);
        ListenSettings listen = new ListenSettings("127.0.0.1", 0, Optional.empty(), certificates.forRole("decode"));
        try (GrpcServer server = GrpcServer.builder("test", listen)
                        .service(tokenizer, PeerRole.GATEWAY)
                        .start();
                Channels gateway = new Channels(certificates.forRole("gateway"));
                Channels prefill = new Channels(certificates.forRole("prefill"))) {
            String target = "127.0.0.1:" + server.port();
            assertThat(tokenize(gateway.control(target, PeerRole.DECODE), "four")
                            .getTokenIds(0))
                    .isEqualTo(4);

            StatusRuntimeException wrongRole = catchThrowableOfType(
                    StatusRuntimeException.class, () -> tokenize(prefill.control(target, PeerRole.DECODE), "four"));
            assertThat(wrongRole.getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
            assertThat(wrongRole)
                    .hasMessageContaining("may be called by gateway.baton.baton")
                    .hasMessageContaining("names prefill.baton.baton");

            // The server is a decode node; whoever looks for a prefill node must not accept it.
            assertThat(status(() -> tokenize(gateway.control(target, PeerRole.PREFILL), "four")))
                    .isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status(() -> tokenize(channels.control(target, PeerRole.DECODE), "four")))
                    .isEqualTo(Status.Code.UNAVAILABLE);
        }
    }

    @Test
    void halfOfACertificateAndAMissingFileAreNamed() {
        assertThatThrownBy(
                        () -> new TlsSettings(Optional.of(folder), Optional.empty(), Optional.empty(), "baton", false))
                .hasMessageContaining("belong together");
        Path missing = folder.resolve("missing.pem");
        TlsSettings tls = new TlsSettings(Optional.of(missing), Optional.of(missing), Optional.empty(), "baton", false);
        assertThatThrownBy(() -> server(new ListenSettings("127.0.0.1", 0, Optional.empty(), tls)))
                .hasMessage("tls-certificate: expected a readable file, found none at " + missing);
    }

    private GrpcServer server(ListenSettings listen) {
        return GrpcServer.builder("test", listen).service(tokenizer).start();
    }

    private Channel control(GrpcServer server) {
        return channels.control("127.0.0.1:" + server.port(), PeerRole.DECODE);
    }

    private TokenizeResponse tokenize(GrpcServer server, String text) {
        return tokenize(control(server), text);
    }

    private static TokenizeResponse tokenize(Channel channel, String text) {
        return InferenceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .tokenize(TokenizeRequest.newBuilder().setText(text).build());
    }

    private StatusRuntimeException failure(GrpcServer server, String text) {
        return catchThrowableOfType(StatusRuntimeException.class, () -> tokenize(server, text));
    }

    private static Status.Code status(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        return catchThrowableOfType(StatusRuntimeException.class, call)
                .getStatus()
                .getCode();
    }

    private static ServingStatus health(Channel channel, String service) {
        return HealthGrpc.newBlockingStub(channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .check(HealthCheckRequest.newBuilder().setService(service).build())
                .getStatus();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

package io.baton.prefill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import io.baton.proto.v1.FetchRequest;
import io.baton.proto.v1.FrameKind;
import io.baton.proto.v1.KvFrame;
import io.baton.proto.v1.KvTransferGrpc;
import io.baton.proto.v1.NodeEvent;
import io.baton.proto.v1.NodeGrpc;
import io.baton.proto.v1.PrefillAck;
import io.baton.proto.v1.PrefillControl;
import io.baton.proto.v1.PrefillGrant;
import io.baton.proto.v1.PrefillGrpc;
import io.baton.proto.v1.PrefillPhase;
import io.baton.proto.v1.PrefillStart;
import io.baton.proto.v1.Role;
import io.baton.proto.v1.WatchRequest;
import io.baton.serving.Fingerprints;
import io.baton.serving.ListenSettings;
import io.baton.serving.telemetry.Telemetry;
import io.baton.transfer.PromptChecksum;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The node as any gRPC client sees it: generated classes and nothing of ours on the other side. */
@Timeout(60)
class PrefillProtocolTest {

    private static final long HANDOFF = 77;

    private final ScriptedEngine engine = new ScriptedEngine();
    private final PrefillUnderTest under = new PrefillUnderTest(PrefillNode.start(
            PrefillSettings.of("prefill", ListenSettings.loopback(), engine.options()),
            engine,
            Telemetry.silent(),
            new Random(5)));

    @AfterEach
    void stop() throws Exception {
        under.close();
    }

    /** A client that uses the generated stub. */
    private final class Client implements StreamObserver<KvFrame> {

        final BlockingQueue<KvFrame> frames = new LinkedBlockingQueue<>();
        final CompletableFuture<Status> ended = new CompletableFuture<>();
        final StreamObserver<PrefillControl> control =
                PrefillGrpc.newStub(under.channel).prefill(this);

        @Override
        public void onNext(KvFrame frame) {
            frames.add(frame);
        }

        @Override
        public void onError(Throwable failure) {
            ended.complete(Status.fromThrowable(failure));
        }

        @Override
        public void onCompleted() {
            ended.complete(Status.OK);
        }

        KvFrame next() throws InterruptedException {
            KvFrame frame = frames.poll(10, TimeUnit.SECONDS);
            assertThat(frame).isNotNull();
            return frame;
        }

        Status status() throws Exception {
            return ended.get(10, TimeUnit.SECONDS);
        }
    }

    private static PrefillControl start(Consumer<PrefillStart.Builder> change) {
        PrefillStart.Builder start = PrefillStart.newBuilder()
                .setFingerprint(Fingerprints.toProto(ScriptedEngine.FINGERPRINT))
                .setMinWireVersion(1)
                .setMaxWireVersion(1)
                .setHandoffId(HANDOFF)
                .addAllTokenIds(List.of(1, 2, 3));
        change.accept(start);
        return PrefillControl.newBuilder().setStart(start).build();
    }

    private static PrefillControl grant(long handoff) {
        return PrefillControl.newBuilder()
                .setGrant(PrefillGrant.newBuilder().setHandoffId(handoff))
                .build();
    }

    private static PrefillControl ack(long handoff) {
        return PrefillControl.newBuilder()
                .setAck(PrefillAck.newBuilder().setHandoffId(handoff))
                .build();
    }

    @Test
    void aGeneratedClientReadsTheWholeStream() throws Exception {
        Client client = new Client();
        client.control.onNext(start(start -> {}));
        KvFrame first = client.next();
        assertThat(first.getKind()).isEqualTo(FrameKind.FRAME_KIND_PROGRESS);
        assertThat(first.getProgress().getWireVersion()).isEqualTo(1);
        assertThat(first.getHandoffId()).isEqualTo(HANDOFF);
        client.control.onNext(grant(HANDOFF));
        int units = 0;
        int results = 0;
        KvFrame frame = client.next();
        while (!frame.hasEnd()) {
            units += frame.getBlockCount();
            results += frame.getKind() == FrameKind.FRAME_KIND_RESULT ? 1 : 0;
            frame = client.next();
        }
        assertThat(units).isEqualTo(3);
        assertThat(results).isEqualTo(1);
        assertThat(frame.getEnd().getUnits()).isEqualTo(3);
        assertThat(client.ended).isNotDone();
        client.control.onNext(ack(HANDOFF));
        client.control.onCompleted();
        assertThat(client.status()).isEqualTo(Status.OK);
        assertThat(client.frames).isEmpty();
    }

    @Test
    void nothingButProgressComesBeforeTheGrant() throws Exception {
        Client client = new Client();
        client.control.onNext(start(start -> {}));
        KvFrame frame = client.next();
        for (int i = 0; i < 5; i++) {
            assertThat(frame.getKind()).isEqualTo(FrameKind.FRAME_KIND_PROGRESS);
            frame = client.next();
        }
        assertThat(frame.getProgress().getPhase()).isEqualTo(PrefillPhase.PREFILL_PHASE_SENDING);
        assertThat(engine.prefills.getFirst().released.getCount()).isEqualTo(1);
    }

    @Test
    void messagesOutOfOrderOrOfAnotherHandoffAreInvalid() throws Exception {
        assertInvalid(client -> client.control.onNext(grant(HANDOFF)), "expected start first");
        assertInvalid(client -> client.control.onNext(PrefillControl.getDefaultInstance()), "expected start first");
        assertInvalid(client -> client.control.onCompleted(), "without a start");
        assertInvalid(
                client -> {
                    client.control.onNext(start(start -> {}));
                    client.control.onNext(start(start -> {}));
                },
                "a message too many");
        assertInvalid(
                client -> {
                    client.control.onNext(start(start -> {}));
                    client.control.onNext(grant(HANDOFF + 1));
                },
                "of another");
        assertInvalid(
                client -> {
                    client.control.onNext(start(start -> {}));
                    client.control.onNext(grant(HANDOFF));
                    client.control.onNext(grant(HANDOFF));
                },
                "a message too many");
        assertInvalid(
                client -> {
                    client.control.onNext(start(start -> {}));
                    client.control.onCompleted();
                },
                "before the ack");
        for (ScriptedEngine.Scripted prefill : engine.prefills) {
            assertThat(prefill.released.await(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aMalformedStartIsInvalidNamingTheField() throws Exception {
        assertInvalidStart(PrefillStart.Builder::clearTokenIds, "token_ids");
        assertInvalidStart(start -> start.setVerifiedBlocks(2), "verified_blocks: expected at most 1, found 2");
        assertInvalidStart(start -> start.setVerifiedBlocks(-1), "found 4294967295");
        assertInvalidStart(start -> start.addVerifiedBlocksByLayer(1), "verified_blocks_by_layer: expected 3 layers");
        assertInvalidStart(
                start -> start.addAllVerifiedBlocksByLayer(List.of(0, 0, 2)), "at most 1 beyond the 0 verified ones");
        assertInvalidStart(start -> start.clearMinWireVersion(), "min_wire_version");
        assertInvalidStart(
                start -> start.getContextBuilder().setEffectiveSalt(com.google.protobuf.ByteString.copyFromUtf8("x")),
                "context.effective_salt: expected 0 or 32 bytes, found 1");
        assertThat(engine.prefills).isEmpty();
    }

    @Test
    void aPromptThatArrivedChangedIsRefusedThoughNoWholeBlockTellsOfIt() throws Exception {
        Client client = new Client();
        client.control.onNext(start(start ->
                start.setTokenIdsCrc32C(PromptChecksum.of(List.of(1, 2, 3))).setTokenIds(2, 7)));
        Status status = client.status();
        assertThat(status.getCode()).isEqualTo(Status.Code.DATA_LOSS);
        assertThat(status.getDescription()).contains("token_ids: expected ids with checksum");
        assertThat(engine.prefills).isEmpty();
    }

    private void assertInvalidStart(Consumer<PrefillStart.Builder> change, String message) throws Exception {
        assertInvalid(client -> client.control.onNext(start(change)), message);
    }

    private void assertInvalid(Consumer<Client> action, String message) throws Exception {
        Client client = new Client();
        action.accept(client);
        Status status = client.status();
        assertThat(status.getCode()).as(message).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(status.getDescription()).contains(message);
    }

    @Test
    void fetchIsRefusedByName() {
        assertThatThrownBy(() -> KvTransferGrpc.newBlockingStub(under.channel)
                        .fetch(FetchRequest.getDefaultInstance())
                        .hasNext())
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNIMPLEMENTED))
                .hasMessageContaining("KvTransfer.Fetch");
    }

    @Test
    void watchTellsWhatTheNodeIsAndWhatItHasCached() {
        Iterator<NodeEvent> events = NodeGrpc.newBlockingStub(under.channel).watch(WatchRequest.getDefaultInstance());
        NodeEvent hello = events.next();
        assertThat(hello.getHello().getRolesList()).containsExactly(Role.ROLE_PREFILL);
        assertThat(hello.getHello().getModel()).isEqualTo("scripted");
        assertThat(Fingerprints.fromProto(hello.getHello().getFingerprint())).isEqualTo(ScriptedEngine.FINGERPRINT);
        assertThat(hello.getLoad().getFreeBlocks()).isEqualTo(64);
        assertThat(events.next().getSnapshot().getBlocksList()).hasSize(1);
    }

    @Test
    void healthAndReflectionTellTheTruth() throws Exception {
        assertThat(HealthGrpc.newBlockingStub(under.channel)
                        .check(HealthCheckRequest.newBuilder()
                                .setService("baton.v1.Prefill")
                                .build())
                        .getStatus())
                .isEqualTo(ServingStatus.SERVING);
        CompletableFuture<ServerReflectionResponse> response = new CompletableFuture<>();
        StreamObserver<ServerReflectionRequest> requests = ServerReflectionGrpc.newStub(under.channel)
                .serverReflectionInfo(new StreamObserver<>() {
                    @Override
                    public void onNext(ServerReflectionResponse value) {
                        response.complete(value);
                    }

                    @Override
                    public void onError(Throwable failure) {
                        response.completeExceptionally(failure);
                    }

                    @Override
                    public void onCompleted() {}
                });
        requests.onNext(ServerReflectionRequest.newBuilder()
                .setFileContainingSymbol("baton.v1.Prefill.Prefill")
                .build());
        FileDescriptorProto file = FileDescriptorProto.parseFrom(
                response.get(10, TimeUnit.SECONDS).getFileDescriptorResponse().getFileDescriptorProto(0));
        requests.onCompleted();
        assertThat(file.getMessageTypeList())
                .anyMatch(message -> message.getName().equals("KvFrame"));
    }
}

package io.baton.gateway;

import io.baton.kv.BlockKey;
import io.baton.kv.SequenceFingerprint;
import io.baton.proto.v1.DecodeChoiceFinished;
import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeFinished;
import io.baton.proto.v1.DecodeGrpc;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.DecodeToken;
import io.baton.proto.v1.FinishReason;
import io.baton.proto.v1.NodeHello;
import io.baton.proto.v1.NodeLoad;
import io.baton.proto.v1.Reason;
import io.baton.proto.v1.Role;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.TtftParts;
import io.baton.proto.v1.Usage;
import io.baton.serving.Fingerprints;
import io.baton.serving.GrpcServer;
import io.baton.serving.ListenSettings;
import io.baton.serving.NodeEvents;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A node with a real server and event stream that computes nothing: a test's script answers each decode request. It
 * never sends a heartbeat of its own accord; the gateways under test have a clock that stands still.
 */
final class ScriptedNode implements AutoCloseable {

    /** What happens to a decode request. Runs on the call's thread. */
    interface Script {
        void decode(Call call);
    }

    /** One decode request and the way back. */
    record Call(
            String node,
            DecodeRequest request,
            ServerCallStreamObserver<DecodeEvent> events,
            Context context,
            CountDownLatch cancelled) {

        void token(int index, int id) {
            token(0, index, id);
        }

        void token(int choice, int index, int id) {
            events.onNext(DecodeEvent.newBuilder()
                    .setToken(DecodeToken.newBuilder()
                            .setChoice(choice)
                            .setIndex(index)
                            .setTokenId(id)
                            .setText("t" + id)
                            .setTtft(
                                    index == request.getEmittedTokenIdsCount()
                                            ? parts()
                                            : TtftParts.getDefaultInstance()))
                    .build());
        }

        /** One of several choices ends before the last. */
        void choiceFinished(int choice, String text) {
            events.onNext(DecodeEvent.newBuilder()
                    .setChoiceFinished(DecodeChoiceFinished.newBuilder()
                            .setChoice(choice)
                            .setReason(FinishReason.FINISH_REASON_STOP)
                            .setText(text))
                    .build());
        }

        void finish(int outputTokens) {
            finish(0, outputTokens);
        }

        void finish(int choice, int outputTokens) {
            events.onNext(DecodeEvent.newBuilder()
                    .setFinished(DecodeFinished.newBuilder()
                            .setChoice(choice)
                            .setReason(FinishReason.FINISH_REASON_LENGTH)
                            .setText("!")
                            .setUsage(Usage.newBuilder()
                                    .setPromptTokens(request.getPromptTokenIdsCount())
                                    .setCachedTokens(3)
                                    .setOutputTokens(outputTokens))
                            .setRoute(Route.newBuilder().setDecodeNode(node).setReason(Reason.REASON_COST_LOCAL)))
                    .build());
            events.onCompleted();
        }

        /** Tokens {@code 100 + index} up to {@code max_tokens}, then the end. */
        void answer() {
            int first = request.getEmittedTokenIdsCount();
            int end = request.getStop().getMaxTokens();
            for (int index = first; index < end; index++) {
                token(index, 100 + index);
            }
            finish(end);
        }

        private static TtftParts parts() {
            return TtftParts.newBuilder()
                    .setTotalMicros(60)
                    .setDecodeAdmissionMicros(1)
                    .setPrefillQueueMicros(2)
                    .setPrefixFetchMicros(3)
                    .setPrefillComputeMicros(4)
                    .setExposedTransferMicros(5)
                    .setFirstStepMicros(6)
                    .build();
        }
    }

    final BlockingQueue<Call> calls = new LinkedBlockingQueue<>();
    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final NodeEvents events;
    private final GrpcServer server;
    private final AtomicReference<NodeLoad> load = new AtomicReference<>(idle());

    private ScriptedNode(ListenSettings listen, NodeHello hello, long epoch, Script script) {
        events = new NodeEvents(
                hello, load::get, epoch, scheduler, new NodeEvents.Options(1 << 10, 64, Duration.ofDays(1), 16, 4));
        String[] name = new String[1];
        server = GrpcServer.builder("scripted", listen)
                .service(events.service())
                .service(new DecodeGrpc.DecodeImplBase() {
                    @Override
                    public void decode(DecodeRequest request, StreamObserver<DecodeEvent> observer) {
                        var stream = (ServerCallStreamObserver<DecodeEvent>) observer;
                        Call call = new Call(name[0], request, stream, Context.current(), new CountDownLatch(1));
                        stream.setOnCancelHandler(call.cancelled()::countDown);
                        calls.add(call);
                        script.decode(call);
                    }
                })
                .start();
        name[0] = address();
    }

    static ScriptedNode decode(Script script) {
        return start(ListenSettings.loopback(), Role.ROLE_DECODE, TestingModel.fingerprint(), script);
    }

    static ScriptedNode prefill() {
        return start(ListenSettings.loopback(), Role.ROLE_PREFILL, TestingModel.fingerprint(), call -> {
            throw new UnsupportedOperationException("a prefill node decodes nothing: " + call.request());
        });
    }

    static ScriptedNode start(ListenSettings listen, Role role, SequenceFingerprint fingerprint, Script script) {
        long epoch = System.nanoTime() | 1;
        NodeHello hello = NodeHello.newBuilder()
                .setInstanceId("node-" + epoch)
                .addRoles(role)
                .setModel("tiny")
                .setFingerprint(Fingerprints.toProto(fingerprint))
                .setBlockCapacity(1_000)
                .build();
        return new ScriptedNode(listen, hello, epoch, script);
    }

    private static NodeLoad idle() {
        return NodeLoad.newBuilder()
                .setFreeBlocks(1_000)
                .setPrefillTokensPerSecond(1_000)
                .setDecodeStepMicros(10_000)
                .setReceiveBytesPerSecond(1e9)
                .build();
    }

    String address() {
        return "127.0.0.1:" + server.port();
    }

    int port() {
        return server.port();
    }

    void stored(List<BlockKey> blocks) {
        events.stored(blocks);
    }

    void load(NodeLoad now) {
        load.set(now);
    }

    void drain() {
        events.markDraining();
    }

    /** As a crash looks from outside: every stream is cut. */
    @Override
    public void close() {
        server.close();
        events.close();
        scheduler.shutdownNow();
    }
}

package io.baton.client;

import io.baton.proto.v1.ChoiceFinish;
import io.baton.proto.v1.FinishReason;
import io.baton.proto.v1.Finished;
import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.GetModelRequest;
import io.baton.proto.v1.GetModelResponse;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.Reason;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.RouteEvent;
import io.baton.proto.v1.SequenceFingerprint;
import io.baton.proto.v1.Started;
import io.baton.proto.v1.Token;
import io.baton.proto.v1.TokenizeRequest;
import io.baton.proto.v1.TokenizeResponse;
import io.baton.proto.v1.TtftParts;
import io.baton.proto.v1.Usage;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A gateway on loopback whose answers a test writes. */
final class ScriptedGateway extends InferenceGrpc.InferenceImplBase implements AutoCloseable {

    private final Server server;
    private final Consumer<ServerCallStreamObserver<GenerateEvent>> script;
    final CompletableFuture<GenerateRequest> request = new CompletableFuture<>();
    final CompletableFuture<Boolean> cancelled = new CompletableFuture<>();

    ScriptedGateway(Consumer<ServerCallStreamObserver<GenerateEvent>> script) throws IOException {
        this.script = script;
        this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .permitKeepAliveTime(5, TimeUnit.SECONDS)
                .addService(this)
                .build()
                .start();
    }

    String target() {
        return "127.0.0.1:" + server.getPort();
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateEvent> events) {
        ServerCallStreamObserver<GenerateEvent> stream = (ServerCallStreamObserver<GenerateEvent>) events;
        stream.setOnCancelHandler(() -> cancelled.complete(true));
        this.request.complete(request);
        script.accept(stream);
    }

    @Override
    public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> response) {
        response.onNext(TokenizeResponse.newBuilder()
                .addTokenIds(request.getText().length())
                .build());
        response.onCompleted();
    }

    @Override
    public void getModel(GetModelRequest request, StreamObserver<GetModelResponse> response) {
        response.onNext(GetModelResponse.newBuilder()
                .setModel("stories")
                .setArchitecture("llama")
                .setContextLength(512)
                .setVocabularySize(512)
                .setFingerprint(
                        SequenceFingerprint.newBuilder().setBlockTokens(32).setNumerics("weights=f32"))
                .addEosTokenIds(2)
                .build());
        response.onCompleted();
    }

    static GenerateEvent started() {
        return GenerateEvent.newBuilder()
                .setStarted(Started.newBuilder()
                        .setRequestId("r-1")
                        .setModel("stories")
                        .setSeed(7)
                        .setPromptTokens(2)
                        .addPromptTokenIds(1)
                        .addPromptTokenIds(9038))
                .build();
    }

    static GenerateEvent token(int index, int id, String text) {
        return token(0, index, id, text);
    }

    static GenerateEvent token(int choice, int index, int id, String text) {
        return GenerateEvent.newBuilder()
                .setToken(Token.newBuilder()
                        .setChoice(choice)
                        .setIndex(index)
                        .setTokenId(id)
                        .setText(text))
                .build();
    }

    static GenerateEvent finished(String heldBack) {
        return GenerateEvent.newBuilder()
                .setFinished(Finished.newBuilder()
                        .addChoices(ChoiceFinish.newBuilder()
                                .setReason(FinishReason.FINISH_REASON_LENGTH)
                                .setText(heldBack))
                        .setUsage(Usage.newBuilder()
                                .setPromptTokens(2)
                                .setCachedTokens(1)
                                .setOutputTokens(3))
                        .setRoute(Route.newBuilder()
                                .setDecodeNode("d:1")
                                .setPrefillNode("p:1")
                                .setReason(Reason.REASON_COST_REMOTE)
                                .setKvBlocksReceived(4)
                                .setKvBytesReceived(4096)
                                .addEvents(RouteEvent.newBuilder()
                                        .setReason(Reason.REASON_PREFILL_STALLED)
                                        .setNode("p:2")
                                        .setDetail("silent")))
                        .setTtft(TtftParts.newBuilder()
                                .setTotalMicros(1500)
                                .setGatewayMicros(500)
                                .setPrefillComputeMicros(900)
                                .setUnattributedMicros(100)))
                .build();
    }

    static GenerateEvent bothFinished(int first, String firstText, int second, String secondText) {
        return GenerateEvent.newBuilder()
                .setFinished(Finished.newBuilder()
                        .addChoices(ChoiceFinish.newBuilder().setChoice(first).setText(firstText))
                        .addChoices(ChoiceFinish.newBuilder().setChoice(second).setText(secondText)))
                .build();
    }

    @Override
    public void close() {
        server.shutdownNow();
    }
}

package io.baton.decode;

import io.baton.engine.EngineOptions;
import io.baton.proto.v1.CallContext;
import io.baton.proto.v1.DecodeGrpc;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.PrefillCandidate;
import io.baton.proto.v1.PrefillMode;
import io.baton.proto.v1.StopConditions;
import io.baton.serving.Fingerprints;
import io.baton.serving.ListenSettings;
import io.baton.serving.telemetry.Telemetry;
import io.baton.testing.ByteVocabulary;
import io.baton.testing.Waiting;
import io.baton.text.Tokenizer;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** A decode node with a scripted engine, and a gateway's channel to it. */
final class NodeUnderTest implements AutoCloseable {

    static final Tokenizer TOKENIZER = Tokenizer.of(ByteVocabulary.ofSize(ScriptedEngine.SHAPE.vocabularySize()));
    /** From the end of a request, as others see it, to the end of its sequence and the last block given back. */
    static final Duration GONE_WITHIN = Duration.ofSeconds(5);

    static final int PROMPT_TOKENS = 100; // six whole blocks and a partial one

    final ScriptedEngine engine = new ScriptedEngine();
    final DecodeNode node;
    private final ManagedChannel channel;

    NodeUnderTest(List<String> prefillNodes, UnaryOperator<DecodeSettings> settings) {
        this(prefillNodes, settings, Telemetry.silent());
    }

    NodeUnderTest(List<String> prefillNodes, UnaryOperator<DecodeSettings> settings, Telemetry telemetry) {
        node = DecodeNode.start(
                settings.apply(DecodeSettings.of(
                        "decode-under-test", ListenSettings.loopback(), EngineOptions.defaults(), prefillNodes)),
                engine,
                TOKENIZER,
                telemetry,
                new Random(3));
        channel = NettyChannelBuilder.forAddress("127.0.0.1", node.port())
                .usePlaintext()
                .flowControlWindow(4096)
                .build();
    }

    NodeUnderTest(ScriptedPrefillNode... prefillNodes) {
        this(Arrays.stream(prefillNodes).map(ScriptedPrefillNode::address).toList(), UnaryOperator.identity());
    }

    /** A request that the node answers with eight tokens, prefilling itself. */
    static DecodeRequest.Builder local() {
        DecodeRequest.Builder request = DecodeRequest.newBuilder()
                .setContext(CallContext.newBuilder().setRequestId("request-1"))
                .setFingerprint(Fingerprints.toProto(ScriptedEngine.FINGERPRINT))
                .setPrefillMode(PrefillMode.PREFILL_MODE_LOCAL)
                .setStop(StopConditions.newBuilder().setMaxTokens(8));
        IntStream.range(0, PROMPT_TOKENS).forEach(i -> request.addPromptTokenIds(300 + i));
        return request;
    }

    /** The same, prefilled on the given nodes, best first. */
    static DecodeRequest.Builder remote(FallbackPolicy policy, ScriptedPrefillNode... nodes) {
        DecodeRequest.Builder request = local().setPrefillMode(PrefillMode.PREFILL_MODE_REMOTE);
        request.getContextBuilder().setFallbackPolicy(policy);
        for (ScriptedPrefillNode ranked : nodes) {
            request.addPrefillNodes(
                    PrefillCandidate.newBuilder().setNode(ranked.address()).setEstimatedMicros(1_000));
        }
        return request;
    }

    Answer ask(DecodeRequest.Builder request) {
        return ask(request, Answer.reading());
    }

    Answer ask(DecodeRequest.Builder request, Answer answer) {
        DecodeGrpc.newStub(channel).decode(request.build(), answer);
        return answer;
    }

    Answer ask(DecodeRequest.Builder request, Duration deadline) {
        Answer answer = Answer.reading();
        DecodeGrpc.newStub(channel)
                .withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS)
                .decode(request.build(), answer);
        return answer;
    }

    /** Every block is free again, soon; an end that the gateway saw may be a step ahead of the engine's. */
    void assertPoolAtBaseline() {
        Waiting.until("no block is in use", GONE_WITHIN, () -> engine.usedNow() == 0);
        engine.checkInvariants();
    }

    /** As a gateway that dies. */
    void disconnect() {
        channel.shutdownNow();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        node.close();
    }
}

package io.baton.gateway;

import static io.baton.gateway.GatewayFixture.request;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.rpc.RetryInfo;
import io.baton.proto.v1.ChatMessages;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.GetModelRequest;
import io.baton.proto.v1.NodeLoad;
import io.baton.proto.v1.Role;
import io.baton.proto.v1.Sampling;
import io.baton.proto.v1.SequenceFingerprint;
import io.baton.proto.v1.StopConditions;
import io.baton.proto.v1.TokenIds;
import io.baton.serving.ListenSettings;
import io.baton.testing.Waiting;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RefusalTest {

    private static ScriptedNode node;
    private static GatewayFixture fixture;

    record Case(UnaryOperator<GenerateRequest.Builder> change, Status.Code code, List<String> words) {

        @Override
        public String toString() {
            return code + " " + words;
        }
    }

    @BeforeAll
    static void start() throws InterruptedException {
        node = ScriptedNode.decode(ScriptedNode.Call::answer);
        fixture = GatewayFixture.over(node);
    }

    @AfterAll
    static void stop() {
        fixture.close();
        node.close();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void namesTheFieldWhatWasFoundAndWhatWasExpected(Case refused) {
        Status status = fixture.refusal(request(4, refused.change()));
        assertThat(status.getCode()).isEqualTo(refused.code());
        assertThat(status.getDescription()).contains(refused.words());
        assertThat(node.calls).as("nothing reached the decode node").isEmpty();
    }

    static Stream<Case> cases() {
        return Stream.of(
                refused(b -> b.setModel("other"), Status.Code.NOT_FOUND, "model", "\"other\"", "\"tiny\""),
                refused(b -> b.clearPrompt(), Status.Code.INVALID_ARGUMENT, "prompt", "text or token_ids"),
                refused(
                        b -> b.setTokenIds(TokenIds.getDefaultInstance()),
                        Status.Code.INVALID_ARGUMENT,
                        "prompt",
                        "no tokens"),
                refused(
                        b -> b.setTokenIds(ids(5, 262)),
                        Status.Code.INVALID_ARGUMENT,
                        "token_ids[1]",
                        "262",
                        "below 262"),
                refused(b -> b.setTokenIds(ids(-1)), Status.Code.INVALID_ARGUMENT, "token_ids[0]", "4294967295"),
                refused(
                        b -> b.addEmittedTokenIds(300),
                        Status.Code.INVALID_ARGUMENT,
                        "emitted_token_ids[0]",
                        "300",
                        "below 262"),
                refused(
                        b -> b.addAllEmittedTokenIds(Collections.nCopies(5, 3)),
                        Status.Code.INVALID_ARGUMENT,
                        "emitted_token_ids",
                        "5 tokens",
                        "at most 4"),
                refused(
                        b -> b.setTokenIds(TokenIds.newBuilder().addAllIds(Collections.nCopies(128, 3))),
                        Status.Code.OUT_OF_RANGE,
                        "prompt",
                        "128 tokens",
                        "at most 127"),
                refused(
                        b -> b.setTokenIds(TokenIds.newBuilder().addAllIds(Collections.nCopies(120, 3)))
                                .setStop(StopConditions.newBuilder().setMaxTokens(9)),
                        Status.Code.OUT_OF_RANGE,
                        "stop.max_tokens",
                        "found 9",
                        "at most 8"),
                refused(
                        b -> b.setStop(StopConditions.newBuilder().setMaxTokens(-1)),
                        Status.Code.OUT_OF_RANGE,
                        "stop.max_tokens",
                        "4294967295"),
                refused(
                        stop(s -> s.addAllStrings(Collections.nCopies(17, "x"))),
                        Status.Code.INVALID_ARGUMENT,
                        "stop.strings",
                        "17",
                        "at most 16"),
                refused(stop(s -> s.addStrings("")), Status.Code.INVALID_ARGUMENT, "stop.strings[0]", "0 characters"),
                refused(
                        stop(s -> s.addStrings("x".repeat(1_025))),
                        Status.Code.INVALID_ARGUMENT,
                        "stop.strings[0]",
                        "1025"),
                refused(stop(s -> s.addTokenIds(999)), Status.Code.INVALID_ARGUMENT, "stop.token_ids[0]", "999"),
                refused(
                        stop(s -> s.addAllTokenIds(Collections.nCopies(65, 1))),
                        Status.Code.INVALID_ARGUMENT,
                        "stop.token_ids",
                        "65"),
                refused(
                        sampling(s -> s.setTemperature(-1)),
                        Status.Code.INVALID_ARGUMENT,
                        "sampling.temperature",
                        "-1"),
                refused(
                        sampling(s -> s.setTemperature(Float.NaN)),
                        Status.Code.INVALID_ARGUMENT,
                        "sampling.temperature",
                        "NaN",
                        "0 to 100"),
                refused(sampling(s -> s.setTopK(-1)), Status.Code.INVALID_ARGUMENT, "sampling.top_k"),
                refused(sampling(s -> s.setTopP(0)), Status.Code.INVALID_ARGUMENT, "sampling.top_p", "above 0"),
                refused(sampling(s -> s.setMinP(2)), Status.Code.INVALID_ARGUMENT, "sampling.min_p", "0 to 1"),
                refused(sampling(s -> s.setTypicalP(1.5f)), Status.Code.INVALID_ARGUMENT, "sampling.typical_p"),
                refused(
                        sampling(s -> s.setRepetitionPenalty(0)),
                        Status.Code.INVALID_ARGUMENT,
                        "sampling.repetition_penalty"),
                refused(
                        sampling(s -> s.setPresencePenalty(3)),
                        Status.Code.INVALID_ARGUMENT,
                        "sampling.presence_penalty"),
                refused(
                        sampling(s -> s.setFrequencyPenalty(-3)),
                        Status.Code.INVALID_ARGUMENT,
                        "sampling.frequency_penalty"),
                refused(
                        sampling(s -> s.putLogitBias(262, 1)),
                        Status.Code.INVALID_ARGUMENT,
                        "sampling.logit_bias",
                        "262"),
                refused(
                        sampling(s -> s.putLogitBias(5, 101)),
                        Status.Code.INVALID_ARGUMENT,
                        "sampling.logit_bias[5]",
                        "101"),
                refused(b -> b.setLogprobs(21), Status.Code.INVALID_ARGUMENT, "logprobs", "21", "at most 20"),
                refused(b -> b.setCacheSalt("s".repeat(257)), Status.Code.INVALID_ARGUMENT, "cache_salt", "257", "256"),
                refused(b -> b.setPriority(101), Status.Code.INVALID_ARGUMENT, "priority", "101"),
                refused(b -> b.setPrefillModeValue(9), Status.Code.INVALID_ARGUMENT, "prefill_mode", "9"),
                refused(b -> b.setFallbackPolicyValue(9), Status.Code.INVALID_ARGUMENT, "fallback_policy", "9"),
                refused(
                        b -> b.setFingerprint(SequenceFingerprint.newBuilder().setBlockTokens(16)),
                        Status.Code.INVALID_ARGUMENT,
                        "weights_digest"),
                refused(b -> b.setChat(ChatMessages.getDefaultInstance()), Status.Code.UNIMPLEMENTED, "chat"),
                refused(b -> b.setAdapter("lora"), Status.Code.UNIMPLEMENTED, "adapter"),
                refused(
                        b -> b.setSamplerState(ByteString.copyFromUtf8("x")),
                        Status.Code.UNIMPLEMENTED,
                        "sampler_state"),
                refused(b -> b.setChoices(17), Status.Code.INVALID_ARGUMENT, "choices", "17", "at most 16"),
                refused(b -> b.setChoices(-1), Status.Code.INVALID_ARGUMENT, "choices", "4294967295", "at most 16"),
                refused(
                        b -> b.setFirstChoice(65_536),
                        Status.Code.INVALID_ARGUMENT,
                        "first_choice",
                        "65536",
                        "at most 65535"),
                refused(
                        b -> b.setChoices(2).addEmittedTokenIds(3),
                        Status.Code.INVALID_ARGUMENT,
                        "emitted_token_ids",
                        "1 tokens and 2 choices",
                        "by itself, with its number as first_choice"));
    }

    @Test
    void anUnknownModelIsUnknownToEveryMethod() {
        try {
            fixture.client().getModel(GetModelRequest.newBuilder().setModel("x").build());
            throw new AssertionError("expected a refusal");
        } catch (StatusRuntimeException e) {
            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
        }
    }

    @Test
    void aDecodeNodesOwnRefusalComesThroughByName() throws InterruptedException {
        try (ScriptedNode picky = ScriptedNode.decode(call -> call.events()
                        .onError(Status.UNIMPLEMENTED
                                .withDescription("sampling.typical_p is not served by this version; leave it out")
                                .asRuntimeException()));
                GatewayFixture own = GatewayFixture.over(picky)) {
            Status status = own.refusal(request(1));
            assertThat(status.getCode()).isEqualTo(Status.Code.UNIMPLEMENTED);
            assertThat(status.getDescription()).contains("sampling.typical_p");
            assertThat(picky.calls).hasSize(1);
        }
    }

    @Test
    void withoutNodesItSaysWhichAreMissingAndWhatToDo() {
        try (GatewayFixture alone = new GatewayFixture(List.of("127.0.0.1:1"), List.of())) {
            Status status = alone.refusal(request(1));
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status.getDescription()).contains("tiny", "127.0.0.1:1", "--decode-nodes");
            assertThat(alone.gateway.isReady()).isFalse();
        }
    }

    @Test
    void whenEveryNodeIsFullItSaysWhenToComeBack() throws Exception {
        try (ScriptedNode full = fullNode(1);
                GatewayFixture own = GatewayFixture.over(full)) {
            own.generate(request(1));
            throw new AssertionError("expected a refusal");
        } catch (StatusRuntimeException e) {
            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            assertThat(e.getStatus().getDescription()).contains("256 or more requests waiting");
            com.google.rpc.Status details = StatusProto.fromThrowable(e);
            assertThat(details).isNotNull();
            RetryInfo retry = details.getDetails(0).unpack(RetryInfo.class);
            assertThat(retry.getRetryDelay().getSeconds() * 1_000L
                            + retry.getRetryDelay().getNanos() / 1_000_000)
                    .isBetween(100L, 30_000L);
        }
    }

    @Test
    void whenOnePoolIsFullAnotherOfTheSameModelAnswers() throws InterruptedException {
        try (ScriptedNode full = fullNode(1);
                ScriptedNode alsoFull = fullNode(1);
                ScriptedNode newer = ScriptedNode.start(
                        ListenSettings.loopback(),
                        Role.ROLE_DECODE,
                        TestingModel.fingerprint(TestingModel.digest(7), 2),
                        ScriptedNode.Call::answer);
                GatewayFixture own = GatewayFixture.over(full, alsoFull, newer)) {
            assertThat(own.generate(request(1))
                            .getLast()
                            .getFinished()
                            .getRoute()
                            .getDecodeNode())
                    .isEqualTo(newer.address());
        }
    }

    private static ScriptedNode fullNode(int arithmeticRevision) {
        ScriptedNode full = ScriptedNode.start(
                ListenSettings.loopback(),
                Role.ROLE_DECODE,
                TestingModel.fingerprint(TestingModel.digest(7), arithmeticRevision),
                ScriptedNode.Call::answer);
        full.load(NodeLoad.newBuilder()
                .setRunningSequences(8)
                .setWaitingSequences(256)
                .build());
        return full;
    }

    @Test
    void aNodeWithAnotherTokenizerIsNotUsedAndSaidSo() {
        try (ScriptedNode other = ScriptedNode.start(
                        ListenSettings.loopback(),
                        Role.ROLE_DECODE,
                        TestingModel.fingerprint(TestingModel.digest(8), 1),
                        ScriptedNode.Call::answer);
                GatewayFixture own = new GatewayFixture(List.of(other.address()), List.of())) {
            Waiting.until(
                    "the difference is seen", () -> own.gateway.clusterSummary().contains("tokenizer_digest differs"));
            Status status = own.refusal(request(1));
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status.getDescription()).contains("tokenizer_digest differs");
        }
    }

    private static Case refused(UnaryOperator<GenerateRequest.Builder> change, Status.Code code, String... words) {
        return new Case(change, code, List.of(words));
    }

    private static UnaryOperator<GenerateRequest.Builder> stop(Consumer<StopConditions.Builder> change) {
        return builder -> {
            change.accept(builder.getStopBuilder());
            return builder;
        };
    }

    private static UnaryOperator<GenerateRequest.Builder> sampling(Consumer<Sampling.Builder> change) {
        return builder -> {
            change.accept(builder.getSamplingBuilder());
            return builder;
        };
    }

    private static TokenIds ids(int... ids) {
        TokenIds.Builder tokens = TokenIds.newBuilder();
        for (int id : ids) {
            tokens.addIds(id);
        }
        return tokens.build();
    }
}

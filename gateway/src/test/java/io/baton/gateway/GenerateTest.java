package io.baton.gateway;

import static io.baton.gateway.GatewayFixture.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.kv.BlockChain;
import io.baton.kv.BlockHash;
import io.baton.kv.SequenceRoot;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.FinishReason;
import io.baton.proto.v1.Finished;
import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.GetModelRequest;
import io.baton.proto.v1.GetModelResponse;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.PrefillMode;
import io.baton.proto.v1.Reason;
import io.baton.proto.v1.Role;
import io.baton.proto.v1.Sampling;
import io.baton.proto.v1.Started;
import io.baton.proto.v1.TokenIds;
import io.baton.proto.v1.TokenizeRequest;
import io.baton.proto.v1.TtftParts;
import io.baton.serving.Fingerprints;
import io.baton.serving.ListenSettings;
import io.baton.testing.Waiting;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GenerateTest {

    @Test
    void anAnswerIsStartedThenTokensThenOneFinished() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
                GatewayFixture fixture = GatewayFixture.over(node)) {
            List<GenerateEvent> events = fixture.generate(request(3));
            assertThat(events)
                    .extracting(GenerateEvent::getEventCase)
                    .containsExactly(
                            GenerateEvent.EventCase.STARTED,
                            GenerateEvent.EventCase.TOKEN,
                            GenerateEvent.EventCase.TOKEN,
                            GenerateEvent.EventCase.TOKEN,
                            GenerateEvent.EventCase.FINISHED);
            Started started = events.getFirst().getStarted();
            assertThat(started.getRequestId()).hasSize(32);
            assertThat(started.getModel()).isEqualTo("tiny");
            assertThat(started.getPromptTokenIdsList()).startsWith(1).hasSize(started.getPromptTokens());
            assertThat(Fingerprints.fromProto(started.getFingerprint())).isEqualTo(TestingModel.fingerprint());
            assertThat(events.subList(1, 4))
                    .extracting(event -> event.getToken().getIndex())
                    .containsExactly(0, 1, 2);
            assertThat(events.subList(1, 4))
                    .extracting(event -> event.getToken().getText())
                    .containsExactly("t100", "t101", "t102");
            Finished finished = events.getLast().getFinished();
            assertThat(finished.getChoices(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
            assertThat(finished.getChoices(0).getText()).isEqualTo("!");
            assertThat(finished.getUsage().getOutputTokens()).isEqualTo(3);
            assertThat(finished.getUsage().getCachedTokens()).isEqualTo(3);
            assertThat(finished.getRoute().getDecodeNode()).isEqualTo(node.address());
            assertThat(finished.getRoute().getReason()).isEqualTo(Reason.REASON_COST_LOCAL);
        }
    }

    @Test
    void theDecodeNodeGetsTheWholeRequestAndItsContext() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
                GatewayFixture fixture = GatewayFixture.over(node)) {
            GenerateRequest request = request(
                    5,
                    builder -> builder.setTokenIds(TokenIds.newBuilder().addAllIds(List.of(1, 5, 6)))
                            .addAllEmittedTokenIds(List.of(100, 101))
                            .setSampling(
                                    Sampling.newBuilder().setTemperature(0.5f).setTopK(7))
                            .setSeed(99)
                            .setLogprobs(2)
                            .setPrefillMode(PrefillMode.PREFILL_MODE_LOCAL)
                            .setFallbackPolicy(FallbackPolicy.FALLBACK_POLICY_FAIL)
                            .setPriority(3));
            List<GenerateEvent> events = fixture.generate(request);
            assertThat(events.get(1).getToken().getIndex())
                    .as("emitted tokens count as output")
                    .isEqualTo(2);
            DecodeRequest decode = node.calls.take().request();
            assertThat(decode.getPromptTokenIdsList()).containsExactly(1, 5, 6);
            assertThat(decode.getEmittedTokenIdsList()).containsExactly(100, 101);
            assertThat(decode.getSampling()).isEqualTo(request.getSampling());
            assertThat(decode.getSeed()).isEqualTo(99);
            assertThat(decode.getLogprobs()).isEqualTo(2);
            assertThat(decode.getStop().getMaxTokens()).isEqualTo(5);
            assertThat(decode.getPrefillMode()).isEqualTo(PrefillMode.PREFILL_MODE_LOCAL);
            assertThat(decode.getFingerprint()).isEqualTo(Fingerprints.toProto(TestingModel.fingerprint()));
            assertThat(decode.getContext().getRequestId())
                    .isEqualTo(events.getFirst().getStarted().getRequestId());
            assertThat(decode.getContext().getPriority()).isEqualTo(3);
            assertThat(decode.getContext().getAttempt()).isEqualTo(1);
            assertThat(decode.getContext().getFallbackPolicy()).isEqualTo(FallbackPolicy.FALLBACK_POLICY_FAIL);
            assertThat(decode.getContext().getEffectiveSalt().size()).isZero();
        }
    }

    @Test
    void whatAUserTypesIsTextEvenIfItSpellsASpecialToken() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
                GatewayFixture fixture = GatewayFixture.over(node)) {
            List<GenerateEvent> events = fixture.generate(request(1, builder -> builder.setText("a</s>b<s>")));
            assertThat(events.getFirst().getStarted().getPromptTokenIdsList())
                    .as("bos, and then neither eos nor bos")
                    .startsWith(1)
                    .hasSize(1 + 1 + "a</s>b<s>".length())
                    .doesNotContain(2)
                    .containsOnlyOnce(1);
            assertThat(node.calls.take().request().getPromptTokenIdsList())
                    .isEqualTo(events.getFirst().getStarted().getPromptTokenIdsList());
            TokenizeRequest asked = TokenizeRequest.newBuilder()
                    .setText("a</s>b")
                    .setParseSpecial(true)
                    .build();
            assertThat(fixture.client().tokenize(asked).getTokenIdsList()).containsOnlyOnce(2);
        }
    }

    @Test
    void aSeedIsDrawnWhenNoneIsGivenAndToldToBothSides() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
                GatewayFixture fixture = GatewayFixture.over(node)) {
            long first = fixture.generate(request(1)).getFirst().getStarted().getSeed();
            long second = fixture.generate(request(1)).getFirst().getStarted().getSeed();
            assertThat(first).isNotEqualTo(second);
            assertThat(node.calls.take().request().getSeed()).isEqualTo(first);
            assertThat(node.calls.take().request().getSeed()).isEqualTo(second);
        }
    }

    @Test
    void thePartsOfTheTimeToFirstTokenSumToIt() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
                GatewayFixture fixture = GatewayFixture.over(node)) {
            TtftParts ttft =
                    fixture.generate(request(2)).getLast().getFinished().getTtft();
            assertThat(ttft.getTotalMicros()).isPositive();
            assertThat(ttft.getFirstStepMicros()).isEqualTo(6);
            assertThat(ttft.getGatewayMicros()
                            + ttft.getRouteMicros()
                            + ttft.getDecodeAdmissionMicros()
                            + ttft.getPrefillQueueMicros()
                            + ttft.getPrefixFetchMicros()
                            + ttft.getPrefillComputeMicros()
                            + ttft.getExposedTransferMicros()
                            + ttft.getFirstStepMicros()
                            + ttft.getUnattributedMicros())
                    .isEqualTo(ttft.getTotalMicros());
        }
    }

    @Test
    void aPromptGoesWhereItsPrefixIsCachedUnlessItsSaltIsAnother() throws InterruptedException {
        int[] prompt = IntStream.range(0, 100).map(i -> 3 + i).toArray();
        GenerateRequest request = request(
                2,
                builder -> builder.setTokenIds(TokenIds.newBuilder()
                        .addAllIds(IntStream.of(prompt).boxed().toList())));
        try (ScriptedNode first = ScriptedNode.decode(ScriptedNode.Call::answer);
                ScriptedNode second = ScriptedNode.decode(ScriptedNode.Call::answer);
                GatewayFixture fixture = GatewayFixture.over(first, second)) {
            List<BlockHash> chain = BlockChain.of(
                    SequenceRoot.of(TestingModel.fingerprint().digest(), "", new byte[0], SequenceRoot.LOSSLESS),
                    prompt,
                    TestingModel.BLOCK_TOKENS);
            second.stored(chain.stream().map(BlockHash::key).toList());
            Waiting.until("six blocks are known", () -> fixture.gateway.blocksKnown() == 6);
            // 96 of 100 tokens cached save 96 ms of prefill, far more than the noise between equal nodes.
            assertThat(decodeNode(fixture.generate(request))).isEqualTo(second.address());
            assertThat(decodeNode(fixture.generate(request))).isEqualTo(second.address());
            second.calls.clear();
            // Under another salt nothing is cached anywhere, and the second node is the busier one by now.
            GenerateRequest salted = request.toBuilder().setCacheSalt("other").build();
            assertThat(decodeNode(fixture.generate(salted))).isEqualTo(first.address());
            assertThat(first.calls
                            .take()
                            .request()
                            .getContext()
                            .getEffectiveSalt()
                            .size())
                    .isEqualTo(32);
        }
    }

    @Test
    void prefillNodesAreRankedForTheDecodeNode() throws InterruptedException {
        try (ScriptedNode decode = ScriptedNode.decode(ScriptedNode.Call::answer);
                ScriptedNode prefill = ScriptedNode.prefill();
                GatewayFixture fixture = new GatewayFixture(List.of(decode.address()), List.of(prefill.address()))) {
            Waiting.until(
                    "both nodes are known", () -> fixture.knows(decode.address()) && fixture.knows(prefill.address()));
            fixture.generate(request(2, builder -> builder.setPrefillMode(PrefillMode.PREFILL_MODE_REMOTE)));
            DecodeRequest asked = decode.calls.take().request();
            assertThat(asked.getPrefillNodesList()).hasSize(1);
            assertThat(asked.getPrefillNodes(0).getNode()).isEqualTo(prefill.address());
            assertThat(asked.getPrefillNodes(0).getEstimatedMicros()).isPositive();
        }
    }

    @Test
    void tenantsBehindAProxyHaveSaltsOfTheirOwn() throws InterruptedException {
        GatewaySettings plain = GatewayFixture.settings(List.of("127.0.0.1:1"), List.of());
        try (ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
                GatewayFixture fixture = new GatewayFixture(
                        new GatewaySettings(
                                plain.name(),
                                plain.listen(),
                                List.of(node.address()),
                                List.of(),
                                plain.memberRefresh(),
                                10,
                                10,
                                Optional.of("a key of many bytes"),
                                Optional.of("x-tenant"),
                                Optional.empty(),
                                plain.costs()),
                        host -> List.of())) {
            assertThat(fixture.gateway.awaitReady(GatewayFixture.SOON)).isTrue();
            var salts = new java.util.HashSet<com.google.protobuf.ByteString>();
            for (String tenant : List.of("one", "two", "one")) {
                Metadata headers = new Metadata();
                headers.put(Metadata.Key.of("x-tenant", Metadata.ASCII_STRING_MARSHALLER), tenant);
                InferenceGrpc.InferenceBlockingStub client =
                        fixture.client().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
                client.generate(request(1)).forEachRemaining(_ -> {});
                DecodeRequest decode = node.calls.take().request();
                assertThat(decode.getContext().getTenant()).isEqualTo(tenant);
                assertThat(decode.getContext().getEffectiveSalt().size()).isEqualTo(32);
                salts.add(decode.getContext().getEffectiveSalt());
            }
            assertThat(salts).hasSize(2);
        }
    }

    @Test
    void aResumedRequestGetsItsFingerprintOrIsRefusedByTheFieldThatDiffers() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
                ScriptedNode newer = ScriptedNode.start(
                        ListenSettings.loopback(),
                        Role.ROLE_DECODE,
                        TestingModel.fingerprint(TestingModel.digest(7), 2),
                        ScriptedNode.Call::answer);
                GatewayFixture fixture = GatewayFixture.over(node, newer)) {
            for (int revision = 1; revision <= 2; revision++) {
                var wanted = Fingerprints.toProto(TestingModel.fingerprint(TestingModel.digest(7), revision));
                List<GenerateEvent> events = fixture.generate(request(1, builder -> builder.setFingerprint(wanted)));
                assertThat(events.getFirst().getStarted().getFingerprint()).isEqualTo(wanted);
            }
            var unknown = Fingerprints.toProto(TestingModel.fingerprint(TestingModel.digest(7), 3));
            Status refusal = fixture.refusal(request(1, builder -> builder.setFingerprint(unknown)));
            assertThat(refusal.getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
            assertThat(refusal.getDescription()).contains("arithmetic_revision");
        }
    }

    @Test
    void tokenizeAndGetModelSpeakForTheModelFile() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(ScriptedNode.Call::answer);
                GatewayFixture fixture = GatewayFixture.over(node)) {
            List<Integer> tokens = fixture.client()
                    .tokenize(TokenizeRequest.newBuilder().setText("ab ab").build())
                    .getTokenIdsList();
            assertThat(tokens).startsWith(1);
            assertThat(fixture.client()
                            .tokenize(TokenizeRequest.newBuilder()
                                    .setText("ab ab")
                                    .setOmitBos(true)
                                    .build())
                            .getTokenIdsList())
                    .isEqualTo(tokens.subList(1, tokens.size()));
            GetModelResponse model = fixture.client().getModel(GetModelRequest.getDefaultInstance());
            assertThat(model.getModel()).isEqualTo("tiny");
            assertThat(model.getContextLength()).isEqualTo(TestingModel.CONTEXT);
            assertThat(model.getEosTokenIdsList()).containsExactly(2);
            assertThat(Fingerprints.fromProto(model.getFingerprint())).isEqualTo(TestingModel.fingerprint());
        }
    }

    private static String decodeNode(List<GenerateEvent> events) {
        return events.getLast().getFinished().getRoute().getDecodeNode();
    }
}

package io.baton.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.ChoiceFinish;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.FinishReason;
import io.baton.proto.v1.Finished;
import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.PrefillMode;
import io.baton.proto.v1.Reason;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.Started;
import io.baton.proto.v1.Token;
import io.baton.proto.v1.TokenLogprob;
import io.baton.proto.v1.TtftParts;
import io.baton.proto.v1.Usage;
import io.baton.serving.GrpcServer;
import io.baton.serving.ListenSettings;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class GenerateCommandTest {

    private final BlockingQueue<GenerateRequest> requests = new LinkedBlockingQueue<>();
    private GrpcServer gateway;

    @TempDir
    Path folder;

    @BeforeEach
    void start() {
        gateway = GrpcServer.builder("gateway", ListenSettings.loopback())
                .service(new InferenceGrpc.InferenceImplBase() {
                    @Override
                    public void generate(GenerateRequest request, StreamObserver<GenerateEvent> events) {
                        requests.add(request);
                        answer(request, events);
                    }
                })
                .start();
    }

    @AfterEach
    void stop() {
        gateway.close();
    }

    @Test
    void textIsStreamedAndEndsWithALineEnd() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(generate(baton, "Once")).isZero();
        assertThat(baton.out()).isEqualTo(" upön a time" + System.lineSeparator());
        assertThat(baton.err()).isEmpty();
    }

    @Test
    void jsonIsOneObjectPerTokenAndALastOneForTheWhole() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(generate(baton, "--json", "Once")).isZero();
        List<JsonNode> lines =
                baton.out().lines().map(new JsonMapper()::readTree).toList();
        assertThat(lines).hasSize(3);
        assertThat(lines.get(0).propertyNames()).containsExactly("tokenId", "text");
        assertThat(lines.get(0).get("tokenId").intValue()).isEqualTo(10);
        assertThat(lines.get(0).get("text").stringValue()).isEqualTo(" upön");

        JsonNode last = lines.get(2);
        assertThat(last.propertyNames())
                .contains("finishReason", "promptTokens", "cachedTokens", "outputTokens", "ttftMillis", "ttftParts")
                .contains("tokenIds", "route");
        assertThat(last.get("finishReason").stringValue()).isEqualTo("length");
        assertThat(last.get("promptTokens").intValue()).isEqualTo(2);
        assertThat(last.get("cachedTokens").intValue()).isEqualTo(1);
        assertThat(last.get("outputTokens").intValue()).isEqualTo(2);
        assertThat(last.get("ttftMillis").doubleValue()).isEqualTo(1.5);
        assertThat(last.get("ttftParts").propertyNames())
                .containsExactly(
                        "gateway",
                        "route",
                        "decodeAdmission",
                        "prefillQueue",
                        "prefixFetch",
                        "prefillCompute",
                        "exposedTransfer",
                        "firstStep",
                        "unattributed");
        assertThat(last.get("ttftParts").get("prefillCompute").doubleValue()).isEqualTo(1.25);
        assertThat(last.get("tokenIds").toString()).isEqualTo("[10,11]");
        assertThat(last.get("text").stringValue()).isEqualTo(" upön a time");
        assertThat(last.get("route").get("prefillNode").stringValue()).isEqualTo("p:1");
        assertThat(last.get("route").get("kvBlocksReceived").intValue()).isEqualTo(3);
        assertThat(last.get("route").get("reason").stringValue()).isEqualTo("COST_REMOTE");
    }

    @Test
    void severalAnswersArePrintedOneAfterTheOther() throws Exception {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(generate(baton, "-n", "2", "Once")).isZero();
        assertThat(requests.take().getChoices()).isEqualTo(2);
        assertThat(baton.out().lines())
                .containsExactly("--- answer 0 ---", " upön a time", "--- answer 1 ---", " upön a time");
        assertThat(generate(BatonUnderTest.plain(), "--choices=0", "Once")).isEqualTo(2);
        assertThat(generate(BatonUnderTest.plain(), "--first-choice=-1", "Once"))
                .isEqualTo(2);
    }

    @Test
    void jsonOfSeveralAnswersNamesEachTokensOwn() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(generate(baton, "--json", "--choices=2", "--first-choice=3", "Once"))
                .isZero();
        List<JsonNode> lines =
                baton.out().lines().map(new JsonMapper()::readTree).toList();
        assertThat(lines).hasSize(5);
        assertThat(lines.get(1).propertyNames()).containsExactly("choice", "tokenId", "text");
        assertThat(lines.subList(0, 4))
                .extracting(line -> line.get("choice").intValue())
                .containsExactly(3, 4, 3, 4);
        JsonNode last = lines.get(4);
        assertThat(last.propertyNames()).doesNotContain("text", "tokenIds", "finishReason");
        assertThat(last.get("choices")).hasSize(2);
        assertThat(last.get("choices").get(1).get("choice").intValue()).isEqualTo(4);
        assertThat(last.get("choices").get(1).get("text").stringValue()).isEqualTo(" upön a time");
        assertThat(last.get("choices").get(1).get("finishReason").stringValue()).isEqualTo("length");
        assertThat(last.get("choices").get(1).get("tokenIds").toString()).isEqualTo("[10,11]");
    }

    @Test
    void logprobsAreInTheTokensLines() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(generate(baton, "--json", "--logprobs=1", "Once")).isZero();
        JsonNode token =
                new JsonMapper().readTree(baton.out().lines().findFirst().orElseThrow());
        assertThat(token.get("logprob").doubleValue()).isEqualTo(-0.5);
        assertThat(token.get("mostLikely").get(0).get("tokenId").intValue()).isEqualTo(12);
    }

    @Test
    void everyFlagReachesTheGateway() throws Exception {
        BatonUnderTest baton = BatonUnderTest.plain();
        int code = generate(
                baton,
                "--prompt=Once",
                "--prefill-mode=remote",
                "--fallback=other-prefill",
                "--temperature=0.5",
                "--top-k=40",
                "--top-p=0.9",
                "--min-p=0.05",
                "--seed=42",
                "--max-tokens=7",
                "--stop-token-ids=3,4",
                "--logit-bias=7=-1.5,8=2",
                "--choices=1",
                "--first-choice=6",
                "--stop=END",
                "--stop=\n\n",
                "--ignore-eos",
                "--cache-salt=mine",
                "--deadline=30s");
        assertThat(baton.err()).isEmpty();
        assertThat(code).isZero();
        GenerateRequest request = requests.take();
        assertThat(request.getText()).isEqualTo("Once");
        assertThat(request.getPrefillMode()).isEqualTo(PrefillMode.PREFILL_MODE_REMOTE);
        assertThat(request.getFallbackPolicy()).isEqualTo(FallbackPolicy.FALLBACK_POLICY_OTHER_PREFILL);
        assertThat(request.getSampling().getTemperature()).isEqualTo(0.5f);
        assertThat(request.getSampling().getTopK()).isEqualTo(40);
        assertThat(request.getSampling().getTopP()).isEqualTo(0.9f);
        assertThat(request.getSampling().getMinP()).isEqualTo(0.05f);
        assertThat(request.getSeed()).isEqualTo(42);
        assertThat(request.getStop().getMaxTokens()).isEqualTo(7);
        assertThat(request.getStop().getStringsList()).containsExactly("END", "\n\n");
        assertThat(request.getStop().getTokenIdsList()).containsExactly(3, 4);
        assertThat(request.getSampling().getLogitBiasMap()).containsOnly(Map.entry(7, -1.5f), Map.entry(8, 2f));
        assertThat(request.getFirstChoice()).isEqualTo(6);
        assertThat(request.getStop().getIgnoreEos()).isTrue();
        assertThat(request.getCacheSalt()).isEqualTo("mine");
    }

    @Test
    void thePromptCanBeAFileStandardInputOrTokenIds() throws Exception {
        Path file = Files.writeString(folder.resolve("prompt.txt"), "from a file\n");
        assertThat(generate(BatonUnderTest.plain(), "--prompt-file", file.toString()))
                .isZero();
        assertThat(requests.take().getText()).isEqualTo("from a file\n");
        assertThat(generate(BatonUnderTest.withInput("from a pipe"))).isZero();
        assertThat(requests.take().getText()).isEqualTo("from a pipe");
        assertThat(generate(BatonUnderTest.withInput("from a dash"), "-")).isZero();
        assertThat(requests.take().getText()).isEqualTo("from a dash");
        assertThat(generate(BatonUnderTest.plain(), "--token-ids", "1,403,407")).isZero();
        assertThat(requests.take().getTokenIds().getIdsList()).containsExactly(1, 403, 407);
        assertThat(generate(BatonUnderTest.plain(), "--chat", "hello")).isZero();
        assertThat(requests.take().getChat().getMessages(0).getContent()).isEqualTo("hello");
    }

    @Test
    void noPromptTwoPromptsAndMalformedFlagsAreUsageErrors() throws IOException {
        assertThat(generate(BatonUnderTest.plain())).isEqualTo(2);
        BatonUnderTest twice = BatonUnderTest.plain();
        assertThat(generate(twice, "one", "--prompt", "two")).isEqualTo(2);
        assertThat(twice.err()).contains("give the prompt once");
        assertThat(generate(BatonUnderTest.plain(), "--temperature", "hot", "x"))
                .isEqualTo(2);
        assertThat(generate(BatonUnderTest.plain(), "--prefill-mode", "nearby", "x"))
                .isEqualTo(2);
        assertThat(generate(BatonUnderTest.plain(), "--deadline", "30", "x")).isEqualTo(2);
        assertThat(BatonUnderTest.plain().run("generate", "x")).isEqualTo(2); // no --target
        assertThat(requests).isEmpty();
    }

    @Test
    void aRefusedRequestFailsWithTheGatewaysWords() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(generate(baton, "refuse me")).isEqualTo(1);
        assertThat(baton.err()).isEqualToIgnoringNewLines("baton generate: OUT_OF_RANGE: the prompt has 9 tokens");
    }

    @Test
    void aGatewayThatIsNotThereFails() {
        gateway.close();
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(generate(baton, "Once")).isEqualTo(1);
        assertThat(baton.err()).startsWith("baton generate: UNAVAILABLE");
    }

    @Test
    void statsGoToStderrAndLeaveTheAnswerAlone() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(generate(baton, "--stats", "Once")).isZero();
        assertThat(baton.out()).isEqualTo(" upön a time" + System.lineSeparator());
        assertThat(baton.err())
                .containsPattern("time to first token +1\\.500 ms")
                .containsPattern("  prefill compute +1\\.250 ms")
                .containsPattern("received from the prefill node +3 blocks, 4,096 bytes")
                .containsPattern("prompt tokens from the cache +1 of 2")
                .containsPattern("fallback +prefill stalled at p:2: silent");
    }

    private int generate(BatonUnderTest baton, String... arguments) {
        String[] all = new String[arguments.length + 3];
        all[0] = "generate";
        all[1] = "--target";
        all[2] = "127.0.0.1:" + gateway.port();
        System.arraycopy(arguments, 0, all, 3, arguments.length);
        return baton.run(all);
    }

    private static void answer(GenerateRequest request, StreamObserver<GenerateEvent> events) {
        if (request.getText().startsWith("refuse")) {
            events.onError(Status.OUT_OF_RANGE
                    .withDescription("the prompt has 9 tokens")
                    .asRuntimeException());
            return;
        }
        events.onNext(GenerateEvent.newBuilder()
                .setStarted(Started.newBuilder().setSeed(5))
                .build());
        List<Integer> choices = IntStream.range(0, request.getChoices())
                .mapToObj(i -> request.getFirstChoice() + i)
                .toList();
        choices.forEach(choice -> events.onNext(GenerateEvent.newBuilder()
                .setToken(token(request, 0, 10, " upön").setChoice(choice))
                .build()));
        choices.forEach(choice -> events.onNext(GenerateEvent.newBuilder()
                .setToken(token(request, 1, 11, " a").setChoice(choice))
                .build()));
        events.onNext(GenerateEvent.newBuilder()
                .setFinished(Finished.newBuilder()
                        .addAllChoices(choices.stream()
                                .map(choice -> ChoiceFinish.newBuilder()
                                        .setChoice(choice)
                                        .setReason(FinishReason.FINISH_REASON_LENGTH)
                                        .setText(" time")
                                        .build())
                                .toList())
                        .setUsage(Usage.newBuilder()
                                .setPromptTokens(2)
                                .setCachedTokens(1)
                                .setOutputTokens(2))
                        .setTtft(TtftParts.newBuilder()
                                .setTotalMicros(1500)
                                .setPrefillComputeMicros(1250)
                                .setUnattributedMicros(250))
                        .setRoute(Route.newBuilder()
                                .setDecodeNode("d:1")
                                .setPrefillNode("p:1")
                                .setReason(Reason.REASON_COST_REMOTE)
                                .addEvents(io.baton.proto.v1.RouteEvent.newBuilder()
                                        .setReason(Reason.REASON_PREFILL_STALLED)
                                        .setNode("p:2")
                                        .setDetail("silent"))
                                .setKvBlocksReceived(3)
                                .setKvBytesReceived(4096)))
                .build());
        events.onCompleted();
    }

    private static Token.Builder token(GenerateRequest request, int index, int id, String text) {
        Token.Builder token = Token.newBuilder().setIndex(index).setTokenId(id).setText(text);
        if (request.hasLogprobs()) {
            token.setLogprob(-0.5f)
                    .addTopLogprobs(TokenLogprob.newBuilder().setTokenId(12).setLogprob(-0.25f));
        }
        return token;
    }
}

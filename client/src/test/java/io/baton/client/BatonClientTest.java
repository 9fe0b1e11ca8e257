package io.baton.client;

import static io.baton.client.ScriptedGateway.finished;
import static io.baton.client.ScriptedGateway.started;
import static io.baton.client.ScriptedGateway.token;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.rpc.RetryInfo;
import io.baton.client.BatonException.Kind;
import io.baton.proto.v1.ChoiceFinish;
import io.baton.proto.v1.Finished;
import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class BatonClientTest {

    private static final GenerateSpec SPEC = GenerateSpec.text("Once").build();

    @Test
    void tokensAreReadOneByOneAndTheResultTellsTheWhole() throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(BatonClientTest::answerWell);
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(SPEC)) {
            assertThat(generation.started().seed()).isEqualTo(7);
            assertThat(generation.started().promptTokenIds()).containsExactly(1, 9038);
            List<String> texts = new ArrayList<>();
            for (GeneratedToken token : generation) {
                texts.add(token.text());
            }
            assertThat(texts).containsExactly(" upon", "", " a");

            GenerationResult result = generation.result();
            assertThat(result.only().text()).isEqualTo(" upon a time");
            assertThat(result.only().tokenIds()).containsExactly(10, 11, 12);
            assertThat(result.only().reason()).isEqualTo(FinishReason.LENGTH);
            assertThat(result.usage()).isEqualTo(new Usage(2, 1, 3));
            assertThat(result.route().prefillNode()).contains("p:1");
            assertThat(result.route().reason()).isEqualTo("COST_REMOTE");
            assertThat(result.route().events())
                    .containsExactly(new RouteTaken.Event("PREFILL_STALLED", Optional.of("p:2"), "silent"));
            assertThat(result.ttft().total()).isEqualTo(Duration.ofNanos(1_500_000));
            assertThat(result.ttft().byName().values().stream().reduce(Duration.ZERO, Duration::plus))
                    .isEqualTo(result.ttft().total());
        }
    }

    @Test
    void theResultCanBeTakenWithoutReadingTheTokens() throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(BatonClientTest::answerWell);
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(SPEC)) {
            assertThat(generation.result().only().tokenIds()).containsExactly(10, 11, 12);
            Iterator<GeneratedToken> rest = generation.iterator();
            assertThat(rest.hasNext()).isFalse();
            assertThatThrownBy(rest::next).isInstanceOf(NoSuchElementException.class);
        }
    }

    @Test
    void everyFieldOfTheSpecReachesTheGateway() throws Exception {
        GenerateSpec spec = GenerateSpec.tokens(List.of(1, 2))
                .model("stories")
                .sampling(SamplingSpec.greedy()
                        .withTemperature(0.5f)
                        .withTopK(40)
                        .withTopP(0.9f)
                        .withMinP(0.1f)
                        .withTypicalP(0.8f)
                        .withPenalties(1.1f, 0.2f, 0.3f)
                        .withLogitBias(Map.of(5, -1f)))
                .seed(42)
                .maxTokens(8)
                .stopStrings(List.of("\n"))
                .stopTokens(List.of(3))
                .ignoreEos(true)
                .logprobs(2)
                .emittedTokens(List.of(9))
                .cacheSalt("salt")
                .prefillMode(PrefillMode.REMOTE)
                .fallback(Fallback.FAIL)
                .choices(2)
                .firstChoice(3)
                .priority(1)
                .build();
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {});
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(spec)) {
            GenerateRequest request = gateway.request.get(20, TimeUnit.SECONDS);
            assertThat(request.getTokenIds().getIdsList()).containsExactly(1, 2);
            assertThat(request.getModel()).isEqualTo("stories");
            assertThat(request.getSampling().toString().lines())
                    .contains("temperature: 0.5", "top_k: 40", "top_p: 0.9", "min_p: 0.1", "typical_p: 0.8")
                    .contains("repetition_penalty: 1.1", "presence_penalty: 0.2", "frequency_penalty: 0.3");
            assertThat(request.getSampling().getLogitBiasMap()).containsExactly(Map.entry(5, -1f));
            assertThat(request.getSeed()).isEqualTo(42);
            assertThat(request.getStop().getMaxTokens()).isEqualTo(8);
            assertThat(request.getStop().getStringsList()).containsExactly("\n");
            assertThat(request.getStop().getTokenIdsList()).containsExactly(3);
            assertThat(request.getStop().getIgnoreEos()).isTrue();
            assertThat(request.getLogprobs()).isEqualTo(2);
            assertThat(request.getEmittedTokenIdsList()).containsExactly(9);
            assertThat(request.getCacheSalt()).isEqualTo("salt");
            assertThat(request.getPrefillMode()).isEqualTo(io.baton.proto.v1.PrefillMode.PREFILL_MODE_REMOTE);
            assertThat(request.getFallbackPolicy()).isEqualTo(io.baton.proto.v1.FallbackPolicy.FALLBACK_POLICY_FAIL);
            assertThat(request.getChoices()).isEqualTo(2);
            assertThat(request.getFirstChoice()).isEqualTo(3);
            assertThat(request.getPriority()).isEqualTo(1);
            generation.cancel();
        }
    }

    @Test
    void whatIsNotAskedForIsLeftUnset() {
        GenerateRequest request = Messages.request(SPEC);
        assertThat(request.hasSeed()).isFalse();
        assertThat(request.hasLogprobs()).isFalse();
        assertThat(request.getSampling().hasTopP()).isFalse();
        assertThat(request.getSampling().hasTypicalP()).isFalse();
        assertThat(request.getSampling().hasRepetitionPenalty()).isFalse();
        assertThat(request.getText()).isEqualTo("Once");
        GenerateRequest chat = Messages.request(
                GenerateSpec.chat(List.of(new Prompt.Message("user", "hi"))).build());
        assertThat(chat.getChat().getMessages(0).getContent()).isEqualTo("hi");
    }

    @ParameterizedTest
    @CsvSource({
        "INVALID_ARGUMENT, INVALID_ARGUMENT, false",
        "NOT_FOUND, NOT_FOUND, false",
        "OUT_OF_RANGE, OUT_OF_RANGE, false",
        "UNIMPLEMENTED, UNIMPLEMENTED, false",
        "FAILED_PRECONDITION, FAILED_PRECONDITION, false",
        "PERMISSION_DENIED, PERMISSION_DENIED, false",
        "UNAUTHENTICATED, PERMISSION_DENIED, false",
        "RESOURCE_EXHAUSTED, OVERLOADED, true",
        "UNAVAILABLE, UNAVAILABLE, true",
        "DEADLINE_EXCEEDED, DEADLINE_EXCEEDED, false",
        "CANCELLED, CANCELLED, false",
        "INTERNAL, INTERNAL, false",
        "UNKNOWN, INTERNAL, false",
    })
    void everyStatusHasItsKind(Status.Code code, Kind kind, boolean retryable) throws Exception {
        Status status = Status.fromCode(code).withDescription("because");
        BatonException failure = failureOf(stream -> stream.onError(status.asRuntimeException()));
        assertThat(failure.kind()).isEqualTo(kind);
        assertThat(failure).hasMessage(code + ": because");
        assertThat(failure.isRetryable()).isEqualTo(retryable);
        assertThat(failure.retryAfter()).isEmpty();
    }

    @Test
    void anOverloadedGatewaySaysWhenToComeBack() throws Exception {
        BatonException failure = failureOf(stream ->
                stream.onError(StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                        .setCode(Status.Code.RESOURCE_EXHAUSTED.value())
                        .setMessage("full")
                        .addDetails(Any.pack(RetryInfo.newBuilder()
                                .setRetryDelay(com.google.protobuf.Duration.newBuilder()
                                        .setSeconds(2)
                                        .setNanos(5_000_000))
                                .build()))
                        .build())));
        assertThat(failure.kind()).isEqualTo(Kind.OVERLOADED);
        assertThat(failure.retryAfter()).contains(Duration.ofMillis(2005));
    }

    @Test
    void aFailureInMidStreamComesAfterTheTokensBeforeIt() throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {
                    stream.onNext(started());
                    stream.onNext(token(0, 10, "a"));
                    stream.onError(Status.UNAVAILABLE.withDescription("lost").asRuntimeException());
                });
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(SPEC)) {
            Iterator<GeneratedToken> tokens = generation.iterator();
            assertThat(tokens.next().text()).isEqualTo("a");
            assertThatThrownBy(tokens::hasNext)
                    .isInstanceOf(BatonException.class)
                    .hasMessage("UNAVAILABLE: lost");
            assertThatThrownBy(tokens::next).isInstanceOf(BatonException.class);
            assertThatThrownBy(generation::result).isInstanceOf(BatonException.class);
            assertThat(generation.started().requestId()).isEqualTo("r-1");
        }
    }

    @Test
    void aStreamThatBreaksItsPromisesIsAnInternalError() throws Exception {
        assertThat(failureOf(stream -> {
                    stream.onNext(started());
                    stream.onNext(token(0, 10, "a"));
                    stream.onNext(token(2, 11, "c"));
                }))
                .hasMessageContaining("expected token 1, found 2");
        assertThat(failureOf(stream -> stream.onNext(token(0, 10, "a")))).hasMessageContaining("before the start");
        assertThat(failureOf(stream -> {
                    stream.onNext(started());
                    stream.onCompleted();
                }))
                .hasMessageContaining("without an end event");
        assertThat(failureOf(stream -> {
                    stream.onNext(started());
                    stream.onNext(finished(""));
                    stream.onNext(token(0, 10, "a"));
                }))
                .hasMessageContaining("after the end");
        assertThat(failureOf(stream -> {
                    stream.onNext(started());
                    stream.onNext(token(1, 0, 10, "a"));
                }))
                .hasMessageContaining("found a token of choice 1, expected 0 to 0")
                .extracting(BatonException::kind)
                .isEqualTo(Kind.INTERNAL);
    }

    @Test
    void severalAnswersComeInOneStreamAndEachHasItsEnd() throws Exception {
        GenerateSpec spec = GenerateSpec.text("Once").choices(2).firstChoice(4).build();
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {
                    stream.onNext(started());
                    stream.onNext(token(4, 0, 10, "a"));
                    stream.onNext(token(5, 0, 20, "x"));
                    stream.onNext(token(5, 1, 21, "y"));
                    stream.onNext(token(4, 1, 11, "b"));
                    stream.onNext(bothFinished(5, "!", 4, "?"));
                    stream.onCompleted();
                });
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(spec)) {
            GenerationResult result = generation.result();
            assertThat(result.choices())
                    .extracting(GenerationResult.Choice::choice)
                    .as("by number")
                    .containsExactly(4, 5);
            assertThat(result.choices().get(0).text()).isEqualTo("ab?");
            assertThat(result.choices().get(1).text()).isEqualTo("xy!");
            assertThat(result.choices().get(1).tokenIds()).containsExactly(20, 21);
            assertThatThrownBy(result::only).hasMessageContaining("found 2");
        }
        assertThat(failureOf(spec, stream -> {
                    stream.onNext(started());
                    stream.onNext(bothFinished(5, "", 5, ""));
                }))
                .hasMessageContaining("found the end of choice 5, expected 4 to 5, each once");
        assertThat(failureOf(spec, stream -> {
                    stream.onNext(started());
                    stream.onNext(finished(""));
                }))
                .hasMessageContaining("expected the ends of 2 choices, found 1");
    }

    private static GenerateEvent bothFinished(int first, String firstText, int second, String secondText) {
        return GenerateEvent.newBuilder()
                .setFinished(Finished.newBuilder()
                        .addChoices(ChoiceFinish.newBuilder().setChoice(first).setText(firstText))
                        .addChoices(ChoiceFinish.newBuilder().setChoice(second).setText(secondText)))
                .build();
    }

    @Test
    void anAnswerThatGoesOnCountsFromTheEmittedTokens() throws Exception {
        GenerateSpec spec =
                GenerateSpec.text("Once").emittedTokens(List.of(5, 6)).build();
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {
                    stream.onNext(started());
                    stream.onNext(token(2, 10, "c"));
                    stream.onNext(finished(""));
                    stream.onCompleted();
                });
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(spec)) {
            assertThat(generation.result().only().tokenIds()).containsExactly(10);
        }
    }

    @Test
    void closingBeforeTheEndCancelsOnTheServer() throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {
                    stream.onNext(started());
                    stream.onNext(token(0, 10, "a"));
                });
                BatonClient client = BatonClient.connect(gateway.target())) {
            try (Generation generation = client.generate(SPEC)) {
                assertThat(generation.iterator().next().text()).isEqualTo("a");
            }
            assertThat(gateway.cancelled.get(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aReaderHearsOfACancellationByAnotherThread() throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> stream.onNext(started()));
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(SPEC)) {
            assertThat(generation.started().requestId()).isEqualTo("r-1");
            CompletableFuture<Void> canceller = CompletableFuture.runAsync(generation::cancel);
            BatonException failure = catchThrowableOfType(BatonException.class, generation::result);
            assertThat(failure.kind()).isEqualTo(Kind.CANCELLED);
            canceller.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void anInterruptedReaderCancelsAndStaysInterrupted() throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> stream.onNext(started()));
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(SPEC)) {
            assertThat(generation.started().requestId()).isEqualTo("r-1");
            Thread.currentThread().interrupt();
            BatonException failure = catchThrowableOfType(BatonException.class, generation::result);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(failure.kind()).isEqualTo(Kind.CANCELLED);
            assertThat(gateway.cancelled.get(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void theDeadlineOfTheCallWinsOverTheClientsAndBothReachTheServer() throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> stream.onNext(started()));
                BatonClient client = BatonClient.to(gateway.target())
                        .deadline(Duration.ofMinutes(10))
                        .build();
                Generation generation = client.generate(
                        GenerateSpec.text("x").deadline(Duration.ofMillis(100)).build())) {
            BatonException failure = catchThrowableOfType(BatonException.class, generation::result);
            assertThat(failure.kind()).isEqualTo(Kind.DEADLINE_EXCEEDED);
            assertThat(gateway.cancelled.get(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aGatewayThatIsNotThereIsUnavailable() throws Exception {
        String target;
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {})) {
            target = gateway.target();
        }
        try (BatonClient client = BatonClient.connect(target);
                Generation generation = client.generate(SPEC)) {
            BatonException failure = catchThrowableOfType(BatonException.class, generation::result);
            assertThat(failure.kind()).isEqualTo(Kind.UNAVAILABLE);
            assertThatThrownBy(generation::started).isSameAs(failure);
            assertThatThrownBy(() -> client.tokenize("x")).isInstanceOf(BatonException.class);
        }
    }

    @Test
    void aReaderThatStopsReadingHoldsTheStreamBack() throws Exception {
        AtomicInteger sent = new AtomicInteger();
        int all = 100_000;
        CountDownLatch full = new CountDownLatch(1);
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {
                    stream.onNext(started());
                    stream.setOnReadyHandler(() -> {
                        while (stream.isReady() && sent.get() < all) {
                            stream.onNext(token(sent.getAndIncrement(), 10, "x".repeat(100)));
                        }
                        full.countDown();
                        if (sent.get() == all) {
                            stream.onNext(finished(""));
                            stream.onCompleted();
                        }
                    });
                });
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(SPEC)) {
            assertThat(generation.started().requestId()).isEqualTo("r-1");
            assertThat(full.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(sent.get()).isLessThan(all);
            assertThat(generation.result().only().tokenIds()).hasSize(all);
        }
    }

    @Test
    void aListenerHearsStartTokensAndOneEnd() throws Exception {
        List<String> heard = new ArrayList<>();
        CompletableFuture<List<String>> all = new CompletableFuture<>();
        try (ScriptedGateway gateway = new ScriptedGateway(BatonClientTest::answerWell);
                BatonClient client = BatonClient.connect(gateway.target())) {
            Runnable cancel = client.generate(SPEC, recordingInto(heard, all));
            assertThat(all.get(20, TimeUnit.SECONDS))
                    .containsExactly("started r-1", " upon", "", " a", "finished LENGTH");
            cancel.run();
            assertThat(heard).hasSize(5);
        }
    }

    @Test
    void aListenerHearsOfItsOwnCancellation() throws Exception {
        CompletableFuture<List<String>> all = new CompletableFuture<>();
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> stream.onNext(started()));
                BatonClient client = BatonClient.connect(gateway.target())) {
            Runnable cancel = client.generate(SPEC, recordingInto(new ArrayList<>(), all));
            gateway.request.get(20, TimeUnit.SECONDS);
            cancel.run();
            assertThat(all.get(20, TimeUnit.SECONDS)).last().isEqualTo("failed CANCELLED");
            assertThat(gateway.cancelled.get(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aModelIsDescribedAndTextIsTokenized() throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(stream -> {});
                BatonClient client = BatonClient.to(gateway.target())
                        .deadline(Duration.ofSeconds(20))
                        .build()) {
            assertThat(client.tokenize("four")).containsExactly(4);
            assertThat(client.model())
                    .isEqualTo(new ModelDescription("stories", "llama", 512, 512, 32, "weights=f32", List.of(2)));
        }
    }

    private static void answerWell(ServerCallStreamObserver<GenerateEvent> stream) {
        stream.onNext(started());
        stream.onNext(token(0, 10, " upon"));
        stream.onNext(token(1, 11, ""));
        stream.onNext(token(2, 12, " a"));
        stream.onNext(finished(" time"));
        stream.onCompleted();
    }

    private static BatonException failureOf(Consumer<ServerCallStreamObserver<GenerateEvent>> script) throws Exception {
        return failureOf(SPEC, script);
    }

    private static BatonException failureOf(GenerateSpec spec, Consumer<ServerCallStreamObserver<GenerateEvent>> script)
            throws Exception {
        try (ScriptedGateway gateway = new ScriptedGateway(script);
                BatonClient client = BatonClient.connect(gateway.target());
                Generation generation = client.generate(spec)) {
            return catchThrowableOfType(BatonException.class, generation::result);
        }
    }

    private static GenerationListener recordingInto(List<String> heard, CompletableFuture<List<String>> all) {
        return new GenerationListener() {
            @Override
            public void started(Started started) {
                heard.add("started " + started.requestId());
            }

            @Override
            public void token(GeneratedToken token) {
                heard.add(token.text());
            }

            @Override
            public void finished(GenerationResult result) {
                heard.add("finished " + result.only().reason());
                all.complete(heard);
            }

            @Override
            public void failed(BatonException failure) {
                heard.add("failed " + failure.kind());
                all.complete(heard);
            }
        };
    }
}

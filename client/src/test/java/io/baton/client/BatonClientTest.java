package io.baton.client;

import static io.baton.client.ScriptedGateway.bothFinished;
import static io.baton.client.ScriptedGateway.finished;
import static io.baton.client.ScriptedGateway.started;
import static io.baton.client.ScriptedGateway.token;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.baton.client.BatonException.Kind;
import io.baton.proto.v1.GenerateEvent;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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

package io.baton.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.ChoiceFinish;
import io.baton.proto.v1.FinishReason;
import io.baton.proto.v1.Finished;
import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.Started;
import io.baton.proto.v1.TtftParts;
import io.baton.serving.GrpcServer;
import io.baton.serving.ListenSettings;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchTtftCommandTest {

    private final List<GenerateRequest> requests = new CopyOnWriteArrayList<>();
    private GrpcServer gateway;

    /** The first token of the n-th request takes n milliseconds, half of them in the gateway. */
    @BeforeEach
    void start() {
        gateway = GrpcServer.builder("gateway", ListenSettings.loopback())
                .service(new InferenceGrpc.InferenceImplBase() {
                    @Override
                    public void generate(GenerateRequest request, StreamObserver<GenerateEvent> events) {
                        requests.add(request);
                        int micros = 1_000 * requests.size();
                        events.onNext(GenerateEvent.newBuilder()
                                .setStarted(Started.getDefaultInstance())
                                .build());
                        events.onNext(GenerateEvent.newBuilder()
                                .setFinished(Finished.newBuilder()
                                        .addChoices(
                                                ChoiceFinish.newBuilder().setReason(FinishReason.FINISH_REASON_LENGTH))
                                        .setTtft(TtftParts.newBuilder()
                                                .setTotalMicros(micros)
                                                .setGatewayMicros(micros / 2)
                                                .setUnattributedMicros(micros / 2)))
                                .build());
                        events.onCompleted();
                    }
                })
                .start();
    }

    @AfterEach
    void stop() {
        gateway.close();
    }

    @Test
    void quantilesAreOfTheRequestsAfterTheWarmUp() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(bench(baton, "-n", "100", "--warm-up", "10", "--json"))
                .as(() -> baton.err())
                .isZero();
        JsonNode parts = new JsonMapper().readTree(baton.out());
        assertThat(parts.get("requests").intValue()).isEqualTo(100);
        assertThat(parts.get("total").properties())
                .extracting(quantile -> quantile.getKey() + " " + quantile.getValue())
                .containsExactly("p50 60.0", "p90 100.0", "p99 109.0", "max 110.0");
        assertThat(parts.get("gateway").get("p99").doubleValue()).isEqualTo(54.5);
        assertThat(parts.get("route").get("max").doubleValue()).isZero();
    }

    @Test
    void theTableHasARowForEveryPart() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(bench(baton, "-n", "2", "--warm-up", "0")).isZero();
        assertThat(baton.out().lines())
                .hasSize(11)
                .contains(
                        "2 requests, ms               p50       p90       p99       max",
                        "total                      1.000     2.000     2.000     2.000",
                        "unattributed               0.500     1.000     1.000     1.000");
    }

    @Test
    void noPromptBeginsLikeAnother() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(bench(baton, "-n", "20", "--warm-up", "5", "--prompt-words", "30", "--max-tokens", "3"))
                .isZero();
        assertThat(requests)
                .hasSize(25)
                .extracting(request -> request.getText().split("\\W+", 3)[1])
                .doesNotHaveDuplicates();
        assertThat(requests).allSatisfy(request -> {
            assertThat(request.getText().split("\\W+")).hasSize(30);
            assertThat(request.getStop().getMaxTokens()).isEqualTo(3);
        });
    }

    @Test
    void aSecondRunFindsNothingOfTheFirstCached() {
        for (int run = 0; run < 2; run++) {
            assertThat(bench(BatonUnderTest.plain(), "-n", "2", "--warm-up", "1"))
                    .isZero();
        }
        List<String> salts =
                requests.stream().map(GenerateRequest::getCacheSalt).toList();
        assertThat(salts.subList(0, 3)).containsOnly(salts.getFirst());
        assertThat(salts.subList(3, 6)).containsOnly(salts.getLast());
        assertThat(salts.getFirst()).isNotEmpty().isNotEqualTo(salts.getLast());
    }

    @Test
    void numbersThatMeasureNothingAreUsageErrors() {
        BatonUnderTest baton = BatonUnderTest.plain();
        assertThat(bench(baton, "-n", "0")).isEqualTo(2);
        assertThat(baton.err()).contains("expected -n and --max-tokens from 1", "found 0, 8, 500 and 48");
    }

    private int bench(BatonUnderTest baton, String... arguments) {
        String[] all = new String[arguments.length + 4];
        all[0] = "bench";
        all[1] = "ttft";
        all[2] = "--target";
        all[3] = "127.0.0.1:" + gateway.port();
        System.arraycopy(arguments, 0, all, 4, arguments.length);
        return baton.run(all);
    }
}

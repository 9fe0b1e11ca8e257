package io.baton.e2e.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.BatonClient;
import io.baton.client.BatonException;
import io.baton.client.GenerateSpec;
import io.baton.client.PrefillMode;
import io.baton.testing.TinyModel;
import io.baton.testing.Waiting;
import io.grpc.Status;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A request that ends before its answer, in each phase: a clear status within a bound, and nothing left behind. */
@Timeout(60)
class RequestEndTest {

    /** From the end of a request to the last block given back, on every node behind it. */
    private static final Duration GONE_WITHIN = Duration.ofSeconds(3);

    private static final Duration LONG = Duration.ofSeconds(30);

    /** A deadline that no machine is too slow for. */
    private static final Duration UNHURRIED = Duration.ofMinutes(10);

    /** Less than the time after which a silent prefill node is given up, and than the long prompts take. */
    private static final Duration SOON = Duration.ofMillis(900);

    @TempDir
    static Path folder;

    private static ClusterUnderTest cluster;

    @BeforeAll
    static void startTheCluster() throws Exception {
        Path model = TinyModel.ofContext(32_768).writeTo(folder.resolve("tiny.gguf"));
        cluster = ClusterUnderTest.start(model, ClusterUnderTest.Plan.of(2, 1).withBlocks(2_100));
        letTheGatewayHearWhatTheNodesMeasure();
    }

    /** A gateway that has heard no measurement yet assumes slow nodes, and refuses short deadlines. */
    private static void letTheGatewayHearWhatTheNodesMeasure() throws Exception {
        for (PrefillMode mode : List.of(PrefillMode.LOCAL, PrefillMode.REMOTE, PrefillMode.REMOTE)) {
            GenerateSpec.Builder request = GenerateSpec.tokens(TinyModel.prompt(6_000, System.nanoTime()));
            answer(request.maxTokens(200).ignoreEos(true).prefillMode(mode).build())
                    .result();
        }
        for (Phase phase : List.of(Phase.TRANSFERRING, Phase.WAITING_FOR_ADMISSION)) {
            Waiting.until("the gateway knows better", LONG, () -> isAccepted(phase.spec(SOON)));
        }
    }

    private static boolean isAccepted(GenerateSpec spec) {
        Witness witness = answer(spec);
        Waiting.until("an end", LONG, witness::hasEnded);
        return witness.endedBy()
                .map(BatonException::kind)
                .filter(BatonException.Kind.OVERLOADED::equals)
                .isEmpty();
    }

    private static Witness answer(GenerateSpec spec) {
        Witness witness = Witness.create();
        cluster.client().generate(spec, witness);
        return witness;
    }

    @AfterAll
    static void stopTheCluster() {
        cluster.close();
    }

    @AfterEach
    void anotherRequestIsAnsweredAsIfNothingHadHappened() throws Exception {
        Witness witness = answer(GenerateSpec.tokens(TinyModel.prompt(40, 9))
                .maxTokens(4)
                .ignoreEos(true)
                .deadline(LONG)
                .build());
        assertThat(witness.result().usage().outputTokens()).isEqualTo(4);
        cluster.assertPoolsAtBaseline(GONE_WITHIN);
    }

    @ParameterizedTest
    @EnumSource(Phase.class)
    void aCancelEndsItEverywhere(Phase phase) throws Exception {
        try (AutoCloseable _ = phase.hold(cluster)) {
            Witness witness = Witness.create();
            Runnable cancel = cluster.client().generate(phase.spec(UNHURRIED), witness);
            awaitPhase(phase, witness);
            cancel.run();
            assertThat(witness.failure(GONE_WITHIN).kind()).isEqualTo(BatonException.Kind.CANCELLED);
            assertNothingButTheHogIsLeft(phase);
        }
        cluster.assertPoolsAtBaseline(GONE_WITHIN);
    }

    @ParameterizedTest
    @EnumSource(Phase.class)
    void aClientThatGoesAwayEndsItEverywhere(Phase phase) throws Exception {
        try (AutoCloseable _ = phase.hold(cluster)) {
            Witness witness = Witness.create();
            try (BatonClient leaving = cluster.anotherClient()) {
                leaving.generate(phase.spec(UNHURRIED), witness);
                awaitPhase(phase, witness);
            }
            assertThat(witness.failure(GONE_WITHIN)).isNotNull();
            assertNothingButTheHogIsLeft(phase);
        }
        cluster.assertPoolsAtBaseline(GONE_WITHIN);
    }

    @ParameterizedTest
    @EnumSource(Phase.class)
    void aClientsBrokenConnectionEndsItEverywhere(Phase phase) throws Exception {
        try (AutoCloseable _ = phase.hold(cluster);
                FaultProxy line = FaultProxy.to(cluster.gateway().port());
                BatonClient client = BatonClient.connect(line.address())) {
            Witness witness = Witness.create();
            client.generate(phase.spec(UNHURRIED), witness);
            awaitPhase(phase, witness);
            line.cutAll();
            assertThat(witness.failure(GONE_WITHIN).kind()).isEqualTo(BatonException.Kind.UNAVAILABLE);
            assertNothingButTheHogIsLeft(phase);
        }
        cluster.assertPoolsAtBaseline(GONE_WITHIN);
    }

    @ParameterizedTest
    @EnumSource(
            value = Phase.class,
            names = {"WAITING_FOR_ADMISSION", "TRANSFERRING", "DECODING"})
    void aDeadlineEndsItEverywhere(Phase phase) throws Exception {
        try (AutoCloseable _ = phase.hold(cluster)) {
            Witness witness = answerThatIsAccepted(phase);
            long accepted = System.nanoTime();
            BatonException failure = witness.failure(SOON.plus(GONE_WITHIN));
            assertThat(failure.kind()).as(failure.getMessage()).isEqualTo(BatonException.Kind.DEADLINE_EXCEEDED);
            assertThat(Duration.ofNanos(System.nanoTime() - accepted)).isLessThan(SOON.plusSeconds(1));
            assertNothingButTheHogIsLeft(phase);
        }
        cluster.assertPoolsAtBaseline(GONE_WITHIN);
    }

    @ParameterizedTest
    @EnumSource(
            value = Phase.class,
            names = {"PREFILLING_HERE", "PREFILLING_ELSEWHERE"})
    void aDeadlineReachesTheChunkThatIsBeingComputed(Phase phase) throws Exception {
        try (DirectDecode decode = new DirectDecode(cluster)) {
            CompletableFuture<Status> ended = decode.ask(phase.spec(SOON), SOON);
            Waiting.until(
                    phase + " is reached", LONG, () -> phase.reached(cluster, Witness.create()) || ended.isDone());
            assertThat(ended.isDone()).as("ended before " + phase).isFalse();
            Status status = ended.get(SOON.plus(GONE_WITHIN).toMillis(), TimeUnit.MILLISECONDS);
            assertThat(status.getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            assertNothingButTheHogIsLeft(phase);
        }
        cluster.assertPoolsAtBaseline(GONE_WITHIN);
    }

    @Test
    void aDeadlineThatNobodyCanMeetIsRefusedAtOnce() throws Exception {
        Witness witness = answer(Phase.PREFILLING_HERE.spec(Duration.ofMillis(300)));
        BatonException failure = witness.failure(Duration.ofMillis(250));
        assertThat(failure.kind()).isEqualTo(BatonException.Kind.OVERLOADED);
    }

    /** A gateway that still counts a request which has just ended may refuse the next one for a moment. */
    private static Witness answerThatIsAccepted(Phase phase) {
        Witness[] last = new Witness[1];
        Waiting.until(phase + " is reached", LONG, () -> {
            Witness witness = answer(phase.spec(SOON));
            last[0] = witness;
            Waiting.until("a beginning or an end", LONG, () -> phase.reached(cluster, witness) || witness.hasEnded());
            return !witness.hasEnded();
        });
        return last[0];
    }

    private static void awaitPhase(Phase phase, Witness witness) {
        Waiting.until(phase + " is reached", LONG, () -> phase.reached(cluster, witness) || witness.hasEnded());
        assertThat(witness.endedBy()).as("the end before " + phase).isEmpty();
    }

    private static void assertNothingButTheHogIsLeft(Phase phase) {
        int others = phase == Phase.WAITING_FOR_ADMISSION ? 1 : 0;
        Waiting.until("the request is gone", GONE_WITHIN, () -> cluster.sequences() == others);
    }
}

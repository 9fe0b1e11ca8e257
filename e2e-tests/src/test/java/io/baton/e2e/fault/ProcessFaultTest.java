package io.baton.e2e.fault;

import static io.baton.client.Fallback.FAIL;
import static io.baton.client.Fallback.LOCAL_PREFILL;
import static io.baton.client.Fallback.OTHER_PREFILL;
import static io.baton.e2e.fault.ProcessFault.Signal.SIGKILL;
import static io.baton.e2e.fault.ProcessFault.Signal.SIGSTOP;
import static io.baton.e2e.fault.ProcessFault.Victim.DECODE;
import static io.baton.e2e.fault.ProcessFault.Victim.EVERY_DECODE;
import static io.baton.e2e.fault.ProcessFault.Victim.EVERY_PREFILL;
import static io.baton.e2e.fault.ProcessFault.Victim.GATEWAY;
import static io.baton.e2e.fault.ProcessFault.Victim.PREFILL;
import static io.baton.e2e.fault.ProcessFault.answer;
import static io.baton.e2e.fault.ProcessFault.late;
import static io.baton.e2e.fault.ProcessFault.unavailable;
import static io.baton.e2e.fault.ProcessPhase.DECODING;
import static io.baton.e2e.fault.ProcessPhase.PREFILLING;
import static io.baton.e2e.fault.ProcessPhase.QUEUED;
import static io.baton.e2e.fault.ProcessPhase.TRANSFERRING;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.BatonClient;
import io.baton.client.BatonException;
import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.GeneratedToken;
import io.baton.client.GenerationResult;
import io.baton.client.PrefillMode;
import io.baton.client.RouteTaken;
import io.baton.client.SamplingSpec;
import io.baton.testing.TinyModel;
import io.baton.testing.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Real processes die, or stop answering, while a request is in each of its phases: the answer is the one that would
 * have come without it, token for token, or a clear status comes within a bound; never a hang, never a wrong token; and
 * whoever survives has nothing of the request left.
 */
@Timeout(120)
class ProcessFaultTest {

    static final int BLOCK_TOKENS = 16;

    /** 32 blocks in 8 layers: 2 MiB on the wire. */
    static final List<Integer> PROMPT = TinyModel.prompt(512, 1);

    /** Fits a prefill node's pool, but not beside the other one. */
    static final List<Integer> HOG = TinyModel.prompt(17 * BLOCK_TOKENS, 2);

    static final long SOME_BYTES = 300_000;
    static final int SOME_TOKENS = 5;

    private static final TinyModel MODEL = new TinyModel(8, 64, 4, 4, 64, 4_096, 11);
    private static final long BLOCK_BYTES = 8L * 2 * 64 * Float.BYTES * BLOCK_TOKENS;
    private static final int PREFILL_BLOCKS = 48;
    private static final int DECODE_BLOCKS = 256;
    private static final int FEW_TOKENS = 16;
    private static final int MANY_TOKENS = 400;

    /** A connection that is reset is noticed as soon as somebody looks. */
    private static final Duration AT_ONCE = Duration.ofSeconds(1);

    /** No frame for 1 s, or three times the gap that the measured rate predicts. */
    private static final Duration STALLED = Duration.ofSeconds(3);

    private static final Duration TWICE_STALLED = STALLED.multipliedBy(2);

    /** Neither token nor heartbeat for 3.5 s, looked at twice a second. */
    private static final Duration SILENT = Duration.ofMillis(4_500);

    private static final Duration DEADLINE = Duration.ofSeconds(5);

    /** {@link io.baton.serving.KeepAlive}, and a second to act on it. */
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(16);

    /** What a machine that does much else beside adds to any bound: nobody's promise, and not in the manual. */
    private static final Duration BUSY_MACHINE = Duration.ofSeconds(2);

    /** What computing it all again may take on a slow, shared machine; nothing of it is waiting. */
    private static final Duration AGAIN = Duration.ofSeconds(20);

    /** A sender gives up a peer that takes no byte for 5 s; all else is quicker. */
    private static final Duration LET_GO = Duration.ofSeconds(7);

    @TempDir
    static Path folder;

    private static ProcessCluster cluster;
    private static List<Integer> undisturbed;
    private static int requests;

    /**
     * The rows, in an order in which a row after a kill mostly needs another process than the one that is being
     * replaced. A gateway goes on with ten requests in a row, and with a tenth of those that follow: it is replaced
     * between the rows that need it to.
     */
    static Stream<ProcessFault> faults() {
        String gone = "PREFILL_UNAVAILABLE";
        String stalled = "PREFILL_STALLED";
        String lost = "DECODE_LOST";
        return Stream.of(
                new ProcessFault(SIGKILL, PREFILL, QUEUED, OTHER_PREFILL, answer(AT_ONCE, gone)),
                new ProcessFault(SIGSTOP, DECODE, DECODING, LOCAL_PREFILL, answer(SILENT, lost)),
                new ProcessFault(SIGKILL, PREFILL, PREFILLING, OTHER_PREFILL, answer(AT_ONCE, gone)),
                new ProcessFault(SIGSTOP, DECODE, PREFILLING, LOCAL_PREFILL, answer(SILENT, lost)),
                new ProcessFault(SIGKILL, PREFILL, TRANSFERRING, OTHER_PREFILL, answer(AT_ONCE, gone)),
                new ProcessFault(SIGSTOP, DECODE, TRANSFERRING, LOCAL_PREFILL, answer(SILENT, lost)),
                new ProcessFault(SIGKILL, PREFILL, DECODING, OTHER_PREFILL, answer(AT_ONCE)),
                new ProcessFault(SIGSTOP, EVERY_DECODE, DECODING, LOCAL_PREFILL, unavailable(SILENT.plusSeconds(2))),
                new ProcessFault(SIGKILL, EVERY_PREFILL, PREFILLING, LOCAL_PREFILL, answer(AT_ONCE, gone, gone)),
                new ProcessFault(SIGKILL, GATEWAY, QUEUED, LOCAL_PREFILL, unavailable(AT_ONCE)),
                new ProcessFault(SIGKILL, GATEWAY, PREFILLING, LOCAL_PREFILL, unavailable(AT_ONCE)),
                new ProcessFault(SIGKILL, GATEWAY, TRANSFERRING, LOCAL_PREFILL, unavailable(AT_ONCE)),
                new ProcessFault(SIGKILL, GATEWAY, DECODING, LOCAL_PREFILL, unavailable(AT_ONCE)),
                new ProcessFault(SIGKILL, DECODE, QUEUED, LOCAL_PREFILL, answer(AT_ONCE, lost)),
                new ProcessFault(SIGSTOP, PREFILL, PREFILLING, OTHER_PREFILL, answer(STALLED, stalled)),
                new ProcessFault(SIGKILL, DECODE, PREFILLING, LOCAL_PREFILL, answer(AT_ONCE, lost)),
                new ProcessFault(SIGSTOP, PREFILL, TRANSFERRING, OTHER_PREFILL, answer(STALLED, stalled)),
                new ProcessFault(SIGKILL, DECODE, TRANSFERRING, LOCAL_PREFILL, answer(AT_ONCE, lost)),
                new ProcessFault(SIGSTOP, PREFILL, DECODING, OTHER_PREFILL, answer(STALLED)),
                new ProcessFault(SIGKILL, DECODE, DECODING, LOCAL_PREFILL, answer(AT_ONCE, lost)),
                new ProcessFault(SIGSTOP, PREFILL, QUEUED, OTHER_PREFILL, answer(STALLED, stalled)),
                new ProcessFault(SIGSTOP, PREFILL, PREFILLING, FAIL, unavailable(STALLED)),
                new ProcessFault(
                        SIGSTOP, EVERY_PREFILL, TRANSFERRING, LOCAL_PREFILL, answer(TWICE_STALLED, stalled, stalled)),
                new ProcessFault(SIGSTOP, EVERY_PREFILL, QUEUED, OTHER_PREFILL, unavailable(TWICE_STALLED)),
                new ProcessFault(SIGSTOP, DECODE, QUEUED, LOCAL_PREFILL, answer(SILENT, lost)),
                new ProcessFault(SIGSTOP, GATEWAY, QUEUED, OTHER_PREFILL, late(DEADLINE)),
                new ProcessFault(SIGSTOP, GATEWAY, PREFILLING, OTHER_PREFILL, late(DEADLINE)),
                new ProcessFault(SIGSTOP, GATEWAY, TRANSFERRING, OTHER_PREFILL, late(DEADLINE)),
                new ProcessFault(SIGSTOP, GATEWAY, DECODING, LOCAL_PREFILL, unavailable(KEEP_ALIVE)));
    }

    @BeforeAll
    static void startTheCluster() throws Exception {
        Path model = MODEL.writeTo(folder.resolve("tiny.gguf"));
        cluster = ProcessCluster.start(model, folder, BLOCK_BYTES, PREFILL_BLOCKS, DECODE_BLOCKS);
        Witness witness = Witness.create();
        try (BatonClient client = cluster.client()) {
            client.generate(
                    request(MANY_TOKENS, Fallback.FAIL)
                            .prefillMode(PrefillMode.LOCAL)
                            .build(),
                    witness);
            undisturbed = witness.result().only().tokenIds();
        }
    }

    @AfterAll
    static void everyProcessDrainsWithEachBlockAccountedFor() throws Exception {
        try (ProcessCluster ending = cluster) {
            ending.drain();
        }
    }

    @ParameterizedTest
    @MethodSource("faults")
    void theRequestEndsAsItShould(ProcessFault fault) throws Exception {
        Witness witness = Witness.create();
        List<ClusterPlace> victims = new ArrayList<>();
        cluster.awaitComplete(fault);
        try (BatonClient client = cluster.client()) {
            List<PoolHog> hogs = fault.phase().hold(cluster);
            try {
                client.generate(spec(fault), witness);
                victims.addAll(awaitVictims(fault, witness));
                strike(fault, victims);
            } finally {
                hogs.forEach(PoolHog::close);
            }
            switch (fault.outcome()) {
                case ProcessFault.Outcome.Answer answer -> {
                    awaitSuccessor(fault, answer, victims, witness);
                    assertUndisturbed(fault, answer, victims, witness);
                }
                case ProcessFault.Outcome.Failure failure -> {
                    BatonException thrown = witness.failure(failure.bound().plus(BUSY_MACHINE));
                    assertThat(thrown.kind()).as(thrown.getMessage()).isEqualTo(failure.kind());
                }
            }
            assertEveryTokenIsRight(witness);
            cluster.awaitBaseline(letGo(fault).plus(BUSY_MACHINE), victims);
        } catch (AssertionError | Exception e) {
            e.addSuppressed(new AssertionError(cluster.logs()));
            throw e;
        } finally {
            victims.forEach(ClusterPlace::resume);
            cluster.places().forEach(place -> place.proxy().heal());
        }
        cluster.awaitBaseline(LET_GO.plus(BUSY_MACHINE), List.of());
    }

    @Test
    void theManualNamesExactlyWhatIsTested() {
        assertThat(FaultTable.documented("### When a process fails"))
                .containsExactlyElementsOf(FaultTable.lines(faults().sorted(ProcessFault.BY_CAUSE)
                        .map(ProcessFault::inWords)
                        .toList()));
    }

    /** Waits until the request is in the row's phase; those that the signal is for. */
    private static List<ClusterPlace> awaitVictims(ProcessFault fault, Witness witness) {
        List<ClusterPlace> concerned = new ArrayList<>();
        Waiting.until(fault.phase() + " is reached", AGAIN, () -> {
            concerned.addAll(fault.phase().prefillNodes(cluster, witness));
            return !concerned.isEmpty() || witness.hasEnded();
        });
        assertThat(witness.hasEnded())
                .as("ended before %s: %s", fault.phase(), witness.endedBy())
                .isFalse();
        return fault.victim().places(cluster, concerned);
    }

    private static void strike(ProcessFault fault, List<ClusterPlace> victims) {
        assertThat(victims).as("processes that have the request").isNotEmpty();
        for (ClusterPlace victim : victims) {
            switch (fault.signal()) {
                case SIGKILL -> victim.killAndReplace();
                case SIGSTOP -> victim.stop();
            }
        }
        if (fault.signal() == SIGKILL && fault.phase() == TRANSFERRING) {
            // What it had written goes with it, as when a machine goes down; the proxy holds it and would not tell.
            victims.forEach(victim -> victim.proxy().cutAll());
        }
    }

    private static void awaitSuccessor(
            ProcessFault fault, ProcessFault.Outcome.Answer answer, List<ClusterPlace> victims, Witness witness) {
        if (!answer.reasons().isEmpty()) {
            Waiting.until(
                    "another node has the request",
                    answer.noticed().plus(BUSY_MACHINE),
                    () -> !fault.victim().successors(cluster, victims).isEmpty() || witness.hasEnded());
        }
    }

    private static void assertUndisturbed(
            ProcessFault fault, ProcessFault.Outcome.Answer answer, List<ClusterPlace> victims, Witness witness)
            throws Exception {
        GenerationResult result = witness.result();
        RouteTaken route = result.route();
        List<String> lost = victims.stream().map(ClusterPlace::address).toList();
        assertThat(route.events())
                .as(route.toString())
                .extracting(RouteTaken.Event::reason)
                .containsExactlyElementsOf(answer.reasons());
        assertThat(route.events())
                .allSatisfy(event -> assertThat(lost).contains(event.node().orElseThrow()));
        assertThat(lost).as(route.toString()).doesNotContain(route.decodeNode());
        switch (fault.victim()) {
            case EVERY_PREFILL -> assertThat(route.prefillNode()).isEmpty();
            case PREFILL, DECODE, EVERY_DECODE, GATEWAY ->
                assertThat(route.prefillNode()).isPresent();
        }
        if (!answer.reasons().isEmpty()) {
            route.prefillNode().ifPresent(node -> assertThat(lost).doesNotContain(node));
        }
        assertThat(result.only().tokenIds()).isEqualTo(undisturbed.subList(0, tokens(fault)));
    }

    /** However far it came: nothing lost, repeated or different. */
    private static void assertEveryTokenIsRight(Witness witness) {
        int count = witness.tokens.size();
        assertThat(witness.tokens)
                .extracting(GeneratedToken::index)
                .containsExactlyElementsOf(IntStream.range(0, count).boxed().toList());
        assertThat(witness.tokens)
                .extracting(GeneratedToken::tokenId)
                .containsExactlyElementsOf(undisturbed.subList(0, count));
    }

    /** Nobody writes to a stopped decode node whose turn has not come: keepalive alone ends its place in a queue. */
    private static Duration letGo(ProcessFault fault) {
        boolean silent =
                fault.phase() == QUEUED && fault.signal() == SIGSTOP && fault.victim() == ProcessFault.Victim.DECODE;
        return silent ? KEEP_ALIVE : LET_GO;
    }

    private static int tokens(ProcessFault fault) {
        return fault.phase() == DECODING ? MANY_TOKENS : FEW_TOKENS;
    }

    private static GenerateSpec spec(ProcessFault fault) {
        GenerateSpec.Builder spec = request(tokens(fault), fault.policy()).prefillMode(PrefillMode.REMOTE);
        if (fault.outcome() instanceof ProcessFault.Outcome.Failure failure) {
            failure.deadline().ifPresent(spec::deadline);
        }
        return spec.build();
    }

    /** Salts keep the rows' blocks apart, so that none can live off another's. */
    private static GenerateSpec.Builder request(int maxTokens, Fallback policy) {
        return GenerateSpec.tokens(PROMPT)
                .maxTokens(maxTokens)
                .ignoreEos(true)
                .sampling(SamplingSpec.greedy().withTemperature(0.8f))
                .seed(42)
                .cacheSalt("request-" + ++requests)
                .fallback(policy);
    }
}

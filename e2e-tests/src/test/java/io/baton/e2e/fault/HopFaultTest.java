package io.baton.e2e.fault;

import static io.baton.client.Fallback.LOCAL_PREFILL;
import static io.baton.client.Fallback.OTHER_PREFILL;
import static io.baton.e2e.fault.FaultProxy.Direction.FROM_CLIENT;
import static io.baton.e2e.fault.FaultProxy.Direction.FROM_SERVER;
import static io.baton.e2e.fault.HopFault.Hop.DECODE_PREFILL;
import static io.baton.e2e.fault.HopFault.Hop.GATEWAY_DECODE;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.GeneratedToken;
import io.baton.client.GenerationResult;
import io.baton.client.PrefillMode;
import io.baton.client.RouteTaken;
import io.baton.client.SamplingSpec;
import io.baton.testing.TinyModel;
import java.nio.file.Path;
import java.time.Duration;
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
 * The way between two tiers is cut, stalls, swallows what it is given, flips a bit or is slow, in the middle of a
 * request: the answer is the one that would have come without it, token for token, and the response says what happened.
 *
 * <p>KV is proof against flipped bits by itself, so its rows run in plaintext. Tokens travel in messages without
 * checksums of their own: there TLS's are what protects, as it must wherever a service is not on loopback.
 */
@Timeout(60)
class HopFaultTest {

    /** A connection that is reset is noticed as soon as somebody looks. */
    private static final Duration AT_ONCE = Duration.ofSeconds(1);

    /** No frame for 1 s, or three times the gap that the measured rate predicts. */
    private static final Duration STALLED = Duration.ofSeconds(3);

    /** Neither token nor heartbeat for 3.5 s, looked at twice a second. */
    private static final Duration SILENT = Duration.ofMillis(4_500);

    /** The node is heard, but does not hear: its keepalive alone finds out, with a second to act on it. */
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(16);

    /** What computing it all again may take on a slow, shared machine. */
    private static final Duration AGAIN = Duration.ofSeconds(15);

    private static final Duration LET_GO = Duration.ofSeconds(7);
    private static final Duration HEARD = Duration.ofSeconds(15);

    private static final int PROMPT_TOKENS = 1_500; // 94 blocks in 3 layers: a good megabyte
    private static final int OUTPUT_TOKENS = 300;

    @TempDir
    static Path folder;

    private static ClusterUnderTest plaintext;
    private static ClusterUnderTest encrypted;
    private static long prompts;

    static Stream<HopFault> faults() {
        Fault cut = new Fault.Cut();
        Fault stall = new Fault.Stall();
        Fault halfOpen = new Fault.HalfOpen();
        Fault corrupt = new Fault.Corrupt(0x04);
        // A flipped bit can hit a payload, a header of ours, or HTTP/2's, which resets or silences the connection.
        String[] corrupted = {"KV_CORRUPT", "PREFILL_UNAVAILABLE", "PREFILL_FAILED", "PREFILL_STALLED"};
        String gone = "PREFILL_UNAVAILABLE";
        String stalled = "PREFILL_STALLED";
        String lost = "DECODE_LOST";
        return Stream.of(
                new HopFault(DECODE_PREFILL, FROM_SERVER, 10, cut, OTHER_PREFILL, AT_ONCE, gone),
                new HopFault(DECODE_PREFILL, FROM_SERVER, 200_000, cut, OTHER_PREFILL, AT_ONCE, gone),
                new HopFault(DECODE_PREFILL, FROM_SERVER, 200_000, cut, LOCAL_PREFILL, AT_ONCE, gone),
                new HopFault(DECODE_PREFILL, FROM_CLIENT, 1_000, cut, OTHER_PREFILL, AT_ONCE, gone),
                new HopFault(DECODE_PREFILL, FROM_SERVER, 200_000, stall, OTHER_PREFILL, STALLED, stalled),
                new HopFault(DECODE_PREFILL, FROM_SERVER, 200_000, stall, LOCAL_PREFILL, STALLED, stalled),
                new HopFault(DECODE_PREFILL, FROM_CLIENT, 1_000, stall, OTHER_PREFILL, STALLED, stalled),
                new HopFault(DECODE_PREFILL, FROM_SERVER, 200_000, halfOpen, OTHER_PREFILL, STALLED, stalled),
                new HopFault(DECODE_PREFILL, FROM_SERVER, 200_000, halfOpen, LOCAL_PREFILL, STALLED, stalled),
                new HopFault(DECODE_PREFILL, FROM_CLIENT, 1_000, halfOpen, OTHER_PREFILL, STALLED, stalled),
                new HopFault(DECODE_PREFILL, FROM_SERVER, 200_000, corrupt, OTHER_PREFILL, STALLED, corrupted),
                new HopFault(DECODE_PREFILL, FROM_SERVER, 200_000, corrupt, LOCAL_PREFILL, STALLED, corrupted),
                new HopFault(DECODE_PREFILL, FROM_CLIENT, 2_000, corrupt, OTHER_PREFILL, STALLED, corrupted),
                new HopFault(DECODE_PREFILL, FROM_SERVER, 0, new Fault.Throttle(1_500_000), OTHER_PREFILL, STALLED),
                new HopFault(GATEWAY_DECODE, FROM_SERVER, 6_000, cut, LOCAL_PREFILL, AT_ONCE, lost),
                new HopFault(GATEWAY_DECODE, FROM_CLIENT, 1_000, cut, LOCAL_PREFILL, AT_ONCE, lost),
                new HopFault(GATEWAY_DECODE, FROM_SERVER, 6_000, corrupt, LOCAL_PREFILL, AT_ONCE, lost),
                new HopFault(GATEWAY_DECODE, FROM_CLIENT, 1_000, corrupt, LOCAL_PREFILL, AT_ONCE, lost),
                new HopFault(GATEWAY_DECODE, FROM_SERVER, 0, new Fault.Throttle(20_000), LOCAL_PREFILL, SILENT),
                new HopFault(GATEWAY_DECODE, FROM_SERVER, 6_000, stall, LOCAL_PREFILL, SILENT, lost),
                new HopFault(GATEWAY_DECODE, FROM_CLIENT, 1_000, stall, LOCAL_PREFILL, KEEP_ALIVE, lost),
                // Last, because the node is not heard again before keepalive has ended the connection.
                new HopFault(GATEWAY_DECODE, FROM_SERVER, 6_000, halfOpen, LOCAL_PREFILL, SILENT, lost));
    }

    @BeforeAll
    static void startTheClusters() throws Exception {
        Path model = TinyModel.ofContext(8_192).writeTo(folder.resolve("tiny.gguf"));
        ClusterUnderTest.Plan plan = ClusterUnderTest.Plan.of(2, 2);
        plaintext = ClusterUnderTest.start(model, plan);
        encrypted = ClusterUnderTest.start(model, plan.withTls(SharedCertificate.in(folder)));
    }

    @AfterAll
    static void stopTheClusters() {
        plaintext.close();
        encrypted.close();
    }

    @ParameterizedTest
    @MethodSource("faults")
    void theAnswerIsTheUndisturbedOne(HopFault fault) throws Exception {
        ClusterUnderTest cluster = cluster(fault);
        List<Integer> prompt = TinyModel.prompt(PROMPT_TOKENS, ++prompts);
        cluster.awaitEveryNodeHeard(HEARD);
        arm(fault, cluster);
        long start = System.nanoTime();
        Witness witness = ask(cluster, prompt, PrefillMode.REMOTE, fault.policy(), "disturbed");
        GenerationResult answer = witness.result();
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isLessThan(fault.noticed().plus(AGAIN));
        assertThat(struck(fault, cluster)).as("the fault has happened").isTrue();
        fault.hop().ways(cluster).forEach(FaultProxy::heal);

        RouteTaken route = answer.route();
        assertThat(route.events().isEmpty())
                .as(route.toString())
                .isEqualTo(fault.reasons().isEmpty());
        assertThat(route.events())
                .allSatisfy(event -> assertThat(event.reason()).isIn(fault.reasons()));
        boolean local = fault.onEveryWay() && !fault.reasons().isEmpty();
        assertThat(route.prefillNode().isEmpty()).as(route.toString()).isEqualTo(local);
        assertThat(witness.tokens)
                .extracting(GeneratedToken::index)
                .containsExactlyElementsOf(
                        IntStream.range(0, OUTPUT_TOKENS).boxed().toList());
        GenerationResult undisturbed = ask(cluster, prompt, PrefillMode.LOCAL, Fallback.FAIL, "undisturbed")
                .result();
        assertThat(answer.only().tokenIds()).isEqualTo(undisturbed.only().tokenIds());
        assertThat(answer.only().text()).isEqualTo(undisturbed.only().text());
        cluster.assertPoolsAtBaseline(LET_GO);
    }

    @Test
    void theManualNamesExactlyWhatIsTested() {
        assertThat(FaultTable.documented("### When a connection fails"))
                .containsExactlyElementsOf(
                        FaultTable.lines(faults().map(HopFault::inWords).toList()));
    }

    private static ClusterUnderTest cluster(HopFault fault) {
        return switch (fault.hop()) {
            case DECODE_PREFILL -> plaintext;
            case GATEWAY_DECODE -> encrypted;
        };
    }

    /** Whichever way is taken first breaks; the other one works, unless the row wants both broken. */
    private static void arm(HopFault fault, ClusterUnderTest cluster) {
        List<FaultProxy> ways = fault.hop().ways(cluster);
        ways.forEach(way -> way.arm(fault.direction(), fault.afterBytes(), fault.fault()));
        if (!fault.onEveryWay()) {
            ways.getFirst().whenStruck(fault.direction(), ways.getLast()::disarm);
            ways.getLast().whenStruck(fault.direction(), ways.getFirst()::disarm);
        }
    }

    private static boolean struck(HopFault fault, ClusterUnderTest cluster) {
        return fault.hop().ways(cluster).stream()
                .anyMatch(way -> way.struck(fault.direction()).getCount() == 0);
    }

    /** Salts keep the two answers' blocks apart, so that the second cannot live off the first one's. */
    private static Witness ask(
            ClusterUnderTest cluster, List<Integer> prompt, PrefillMode mode, Fallback fallback, String salt) {
        Witness witness = Witness.create();
        GenerateSpec spec = GenerateSpec.tokens(prompt)
                .maxTokens(OUTPUT_TOKENS)
                .ignoreEos(true)
                .sampling(SamplingSpec.greedy().withTemperature(0.8f))
                .seed(42)
                .cacheSalt(salt)
                .prefillMode(mode)
                .fallback(fallback)
                .build();
        cluster.client().generate(spec, witness);
        return witness;
    }
}

package io.baton.e2e.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.BatonException;
import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.GeneratedToken;
import io.baton.client.GenerationResult;
import io.baton.client.PrefillMode;
import io.baton.client.SamplingSpec;
import io.baton.e2e.fault.FaultProxy.Direction;
import io.baton.testing.TinyModel;
import io.baton.testing.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node is lost in the middle of a request: the answer is the one that would have come without it, token for token,
 * and the response says what happened; or the policy forbids going on, and the client gets a status. What can happen to
 * the ways between them is {@link HopFaultTest}'s business, and to processes {@link ProcessFaultTest}'s.
 */
@Timeout(60)
class TierFaultTest {

    private static final Duration GONE_WITHIN = Duration.ofSeconds(5);
    private static final int PROMPT_TOKENS = 1_500; // 94 blocks in 3 layers: a good megabyte

    @TempDir
    static Path folder;

    private ClusterUnderTest cluster;
    private long prompts;

    @BeforeEach
    void startTheCluster() throws Exception {
        Path model = folder.resolve("tiny.gguf");
        TinyModel.ofContext(8_192).writeTo(model);
        cluster = ClusterUnderTest.start(model, ClusterUnderTest.Plan.of(2, 2));
    }

    @AfterEach
    void everyPoolIsAtBaseline() {
        try (ClusterUnderTest ending = cluster) {
            ending.assertPoolsAtBaseline(GONE_WITHIN);
        }
    }

    @Test
    void aPolicyToFailFailsWithAStatus() throws Exception {
        cluster.prefillProxy(0).arm(Direction.FROM_SERVER, 200_000, new Fault.Cut());
        cluster.prefillProxy(1).arm(Direction.FROM_SERVER, 200_000, new Fault.Cut());
        Witness witness = ask(spec(nextPrompt(), PrefillMode.REMOTE, Fallback.FAIL));
        assertThat(witness.failure(GONE_WITHIN).kind()).isEqualTo(BatonException.Kind.UNAVAILABLE);
    }

    @Test
    void aPrefillNodeThatStopsWhileItComputesIsReplaced() throws Exception {
        List<Integer> prompt = TinyModel.prompt(7_000, ++prompts);
        Witness witness = ask(spec(prompt, PrefillMode.REMOTE, Fallback.OTHER_PREFILL));
        int busy = busyPrefillNode();
        cluster.stopPrefill(busy);
        GenerationResult answer = witness.result();
        assertThat(answer.route().events()).isNotEmpty();
        assertThat(answer.route().prefillNode())
                .contains(cluster.prefillProxy(1 - busy).address());
        assertSameAsUndisturbed(answer, prompt);
    }

    @Test
    void aDecodeNodeThatIsCutOffIsReplacedAndNoTokenIsLostRepeatedOrDifferent() throws Exception {
        List<Integer> prompt = nextPrompt();
        GenerateSpec spec = spec(prompt, PrefillMode.AUTO, Fallback.LOCAL_PREFILL);
        Witness witness = Witness.ofTokens(20);
        cluster.client().generate(spec, witness);
        witness.awaitTokens();
        int busy = cluster.decode(0).engine().load().runningSequences() > 0 ? 0 : 1;
        cluster.decodeProxy(busy).cutAll();
        GenerationResult answer = witness.result();
        assertThat(witness.tokens)
                .extracting(GeneratedToken::index)
                .containsExactlyElementsOf(indexes(spec.maxTokens()));
        assertThat(answer.route().events())
                .as(answer.route().toString())
                .anySatisfy(event -> assertThat(event.reason()).isEqualTo("DECODE_LOST"));
        assertSameAsUndisturbed(answer, prompt);
    }

    @Test
    void severalAnswersOfALostDecodeNodeGoOnEachFromItsOwnTokens() throws Exception {
        List<Integer> prompt = nextPrompt();
        GenerationResult undisturbed = answer(several(prompt, PrefillMode.LOCAL, List.of()));
        int stop = tokenOfTheSecondAlone(undisturbed);
        GenerateSpec stopping = several(prompt, PrefillMode.LOCAL, List.of(stop));
        GenerationResult expected = answer(stopping);
        int early = expected.choices().get(1).tokenIds().size();
        assertThat(early).isLessThan(100);

        Witness witness = Witness.ofTokens(3 * (early + 20)); // the second has ended, the others are in their middle
        cluster.client().generate(several(prompt, PrefillMode.AUTO, List.of(stop)), witness);
        witness.awaitTokens();
        int busy = cluster.decode(0).engine().load().runningSequences() > 0 ? 0 : 1;
        assertThat(cluster.decode(busy).engine().load().runningSequences()).isEqualTo(2);
        cluster.decodeProxy(busy).cutAll();
        GenerationResult answer = witness.result();
        assertThat(answer.route().events())
                .as(answer.route().toString())
                .anySatisfy(event -> assertThat(event.reason()).isEqualTo("DECODE_LOST"));
        assertThat(answer.choices()).isEqualTo(expected.choices());
        assertThat(answer.usage().outputTokens())
                .isEqualTo(expected.usage().outputTokens())
                .isEqualTo(600 + early);
    }

    private static GenerateSpec several(List<Integer> prompt, PrefillMode mode, List<Integer> stopTokens) {
        return GenerateSpec.tokens(prompt)
                .maxTokens(300)
                .ignoreEos(true)
                .stopTokens(stopTokens)
                .sampling(SamplingSpec.greedy().withTemperature(0.8f))
                .seed(42)
                .choices(3)
                .prefillMode(mode)
                .deadline(Duration.ofSeconds(30))
                .build();
    }

    /** One that comes early in the second answer and never in the others. */
    private static int tokenOfTheSecondAlone(GenerationResult result) {
        return result.choices().get(1).tokenIds().stream()
                .skip(5)
                .limit(90)
                .filter(token -> !result.choices().get(0).tokenIds().contains(token)
                        && !result.choices().get(2).tokenIds().contains(token))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aDecodeNodeThatIsToldToDrainFinishesWhatItHas() throws Exception {
        GenerateSpec spec = spec(nextPrompt(), PrefillMode.LOCAL, Fallback.FAIL);
        Witness witness = Witness.create();
        cluster.client().generate(spec, witness);
        witness.awaitTokens();
        int busy = cluster.decode(0).engine().load().runningSequences() > 0 ? 0 : 1;
        assertThat(cluster.drainDecode(busy, Duration.ofSeconds(20))).isTrue();
        assertThat(witness.result().usage().outputTokens()).isEqualTo(spec.maxTokens());
        GenerationResult next = answer(spec(nextPrompt(), PrefillMode.AUTO, Fallback.LOCAL_PREFILL));
        assertThat(next.route().decodeNode())
                .isEqualTo("127.0.0.1:" + cluster.decode(1 - busy).port());
    }

    private int busyPrefillNode() {
        Waiting.until(
                "a prefill node is at work",
                GONE_WITHIN,
                () -> cluster.prefill(0).engine().load().queuedPrefillTokens()
                                + cluster.prefill(1).engine().load().queuedPrefillTokens()
                        > 0);
        return cluster.prefill(0).engine().load().queuedPrefillTokens() > 0 ? 0 : 1;
    }

    /** The same request, prefilled on the node that decodes, with nothing in the way. */
    private void assertSameAsUndisturbed(GenerationResult answer, List<Integer> prompt) throws Exception {
        cluster.prefillProxy(0).heal();
        cluster.prefillProxy(1).heal();
        GenerationResult undisturbed = answer(spec(prompt, PrefillMode.LOCAL, Fallback.FAIL));
        assertThat(answer.only().tokenIds()).isEqualTo(undisturbed.only().tokenIds());
        assertThat(answer.only().text()).isEqualTo(undisturbed.only().text());
    }

    private List<Integer> nextPrompt() {
        return TinyModel.prompt(PROMPT_TOKENS, ++prompts);
    }

    private static GenerateSpec spec(List<Integer> prompt, PrefillMode mode, Fallback fallback) {
        return GenerateSpec.tokens(prompt)
                .maxTokens(300)
                .ignoreEos(true)
                .sampling(SamplingSpec.greedy().withTemperature(0.8f))
                .seed(42)
                // Keeps the undisturbed answer from living off the other one's blocks.
                .cacheSalt(mode + " " + fallback)
                .prefillMode(mode)
                .fallback(fallback)
                .deadline(Duration.ofSeconds(30))
                .build();
    }

    private Witness ask(GenerateSpec spec) {
        Witness witness = Witness.create();
        cluster.client().generate(spec, witness);
        return witness;
    }

    private GenerationResult answer(GenerateSpec spec) throws Exception {
        return ask(spec).result();
    }

    private static List<Integer> indexes(int count) {
        return Stream.iterate(0, i -> i + 1).limit(count).toList();
    }
}

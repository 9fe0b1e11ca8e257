package io.baton.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.BatonException;
import io.baton.client.GenerateSpec;
import io.baton.client.GeneratedToken;
import io.baton.client.Generation;
import io.baton.client.GenerationResult;
import io.baton.client.PrefillMode;
import io.baton.client.SamplingSpec;
import io.baton.engine.Engine;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.testing.TinyModel;
import io.baton.testing.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several answers to one prompt: each is the one its number has alone, the prompt is computed and kept once. */
class SeveralAnswersTest {

    private static final int CHOICES = 4;
    private static final int BLOCK_TOKENS = 32;
    private static final int MAX_TOKENS = 8;
    private static final EngineOptions ENGINE =
            new EngineOptions(BLOCK_TOKENS, KvType.BF16, 64, OptionalLong.of(8L << 20), 16, 64);

    @TempDir
    static Path folder;

    @ParameterizedTest
    @EnumSource(
            value = PrefillMode.class,
            names = {"REMOTE", "LOCAL"})
    void eachIsBitForBitTheAnswerOfItsNumberAlone(PrefillMode mode) throws Exception {
        Path model = TinyModel.ofContext(512).writeTo(folder.resolve("tiny.gguf"));
        List<Question> questions = new ArrayList<>();
        for (int tokens : new int[] {1, 31, 32, 33, 100, 257}) {
            questions.add(new Question(
                    TinyModel.prompt(tokens, tokens),
                    SamplingSpec.greedy().withTemperature(0.9f).withTopK(100).withTopP(0.95f),
                    77 + tokens,
                    MAX_TOKENS));
        }
        try (Cluster cluster = Cluster.start(model, HostOptions.defaults(), ENGINE);
                EngineHost host = EngineHost.open(model, HostOptions.defaults(), LoadProgress.NONE)) {
            for (Question question : questions) {
                List<GeneratedToken> together = tokens(cluster, spec(question, mode, 0, CHOICES));
                for (int choice = 0; choice < CHOICES; choice++) {
                    int number = choice;
                    List<GeneratedToken> one = together.stream()
                            .filter(token -> token.choice() == number)
                            .toList();
                    assertThat(one.stream().map(SeveralAnswersTest::plain))
                            .as(
                                    "choice %d of a prompt of %d",
                                    choice, question.prompt().size())
                            .isEqualTo(FullRecompute.generate(host, KvType.BF16, question, choice));
                    assertThat(tokens(cluster, spec(question, PrefillMode.LOCAL, choice, 1)))
                            .as("alone, with text, log probabilities and the most likely tokens of each step")
                            .isEqualTo(one);
                    assertThat(tokens(cluster, resumed(question, choice, one.subList(0, 3))))
                            .as("alone, resumed after three tokens")
                            .isEqualTo(one.subList(3, MAX_TOKENS));
                }
            }
            assertAtBaseline(cluster);
        }
    }

    @Test
    void thePromptsBlocksAreShared() throws Exception {
        Path model = TinyModel.ofContext(1024).writeTo(folder.resolve("tiny.gguf"));
        int promptTokens = 20 * BLOCK_TOKENS + 5; // 20 whole blocks and a part of one
        try (Cluster cluster = Cluster.start(model, HostOptions.defaults(), ENGINE)) {
            Question question = new Question(
                    TinyModel.prompt(promptTokens, 3), SamplingSpec.greedy().withTemperature(1), 5, 20);
            int alone = mostBlocks(cluster, spec(question, PrefillMode.REMOTE, 0, 1));
            int together = mostBlocks(cluster, spec(question, PrefillMode.REMOTE, 0, CHOICES));
            assertThat(alone).isEqualTo(21);
            assertThat(together)
                    .as("20 shared blocks, and one of each answer's own")
                    .isEqualTo(20 + CHOICES)
                    .isLessThan(CHOICES * alone);
            assertAtBaseline(cluster);
        }
    }

    @Test
    void onePrefillServesAllOfThem() throws Exception {
        Path model = TinyModel.ofContext(1024).writeTo(folder.resolve("tiny.gguf"));
        try (Cluster cluster = Cluster.start(model, HostOptions.defaults(), ENGINE)) {
            Question question = new Question(TinyModel.prompt(100, 3), SamplingSpec.greedy(), 5, 4);
            try (Generation generation = cluster.client().generate(spec(question, PrefillMode.REMOTE, 0, CHOICES))) {
                GenerationResult result = generation.result();
                assertThat(result.route().kvBlocksReceived()).isEqualTo(4);
                assertThat(result.usage().promptTokens()).isEqualTo(100);
                assertThat(result.usage().outputTokens()).isEqualTo(4 * CHOICES);
                assertThat(result.choices()).hasSize(CHOICES);
            }
        }
    }

    @Test
    void aCancelEndsThemAll() throws Exception {
        Path model = TinyModel.ofContext(8192).writeTo(folder.resolve("tiny.gguf"));
        try (Cluster cluster = Cluster.start(model, HostOptions.defaults(), ENGINE)) {
            Question question =
                    new Question(TinyModel.prompt(40, 3), SamplingSpec.greedy().withTemperature(1), 5, 400);
            try (Generation generation = cluster.client().generate(spec(question, PrefillMode.AUTO, 0, CHOICES))) {
                generation.iterator().next();
                generation.cancel();
                Assertions.assertThatThrownBy(generation::result).isInstanceOf(BatonException.class);
            }
            assertAtBaseline(cluster);
        }
    }

    private static GenerateSpec spec(Question question, PrefillMode mode, int firstChoice, int choices) {
        return request(question, mode, firstChoice).choices(choices).build();
    }

    private static GenerateSpec resumed(Question question, int choice, List<GeneratedToken> emitted) {
        return request(question, PrefillMode.AUTO, choice)
                .emittedTokens(emitted.stream().map(GeneratedToken::tokenId).toList())
                .build();
    }

    private static GenerateSpec.Builder request(Question question, PrefillMode mode, int firstChoice) {
        return GenerateSpec.tokens(question.prompt())
                .sampling(question.sampling())
                .seed(question.seed())
                .maxTokens(question.maxTokens())
                .ignoreEos(true)
                .logprobs(3)
                .prefillMode(mode)
                .firstChoice(firstChoice);
    }

    private static Answer.Token plain(GeneratedToken token) {
        return new Answer.Token(token.tokenId(), (float) token.logprob().orElseThrow());
    }

    private static List<GeneratedToken> tokens(Cluster cluster, GenerateSpec spec) {
        try (Generation generation = cluster.client().generate(spec)) {
            List<GeneratedToken> tokens = new ArrayList<>();
            generation.forEach(tokens::add);
            return tokens;
        }
    }

    /** Blocks in use on the decode node at most, looked at with each token. */
    private static int mostBlocks(Cluster cluster, GenerateSpec spec) {
        Engine engine = cluster.decodeNodes().getFirst().engine();
        int most = 0;
        try (Generation generation = cluster.client().generate(spec)) {
            for (GeneratedToken token : generation) {
                assertThat(token.tokenId()).isNotNegative();
                most = Math.max(most, engine.load().usedBlocks());
            }
        }
        return most;
    }

    private static void assertAtBaseline(Cluster cluster) {
        List<Engine> engines = Stream.concat(
                        cluster.prefillNodes().stream().map(node -> node.engine()),
                        cluster.decodeNodes().stream().map(node -> node.engine()))
                .toList();
        for (Engine engine : engines) {
            Waiting.until(
                    "no block is in use",
                    Duration.ofSeconds(5),
                    () -> engine.load().usedBlocks() == 0);
        }
        cluster.checkInvariants();
    }
}

package io.baton.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.cli.Baton;
import io.baton.client.FinishReason;
import io.baton.client.GenerateSpec;
import io.baton.client.GenerationResult;
import io.baton.client.PrefillMode;
import io.baton.engine.ActivationMode;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The embedded model answers as the program that trained it does (tools/demo-model), through the whole path. */
class DemoModelTest {

    /** Above this distance of the two likeliest tokens, rounding in 32 bits cannot change which is the likeliest. */
    private static final double SAFE_GAP = 1e-3;

    private static final EngineOptions F32_CACHE =
            new EngineOptions(16, KvType.F32, 64, OptionalLong.of(64 << 20), 16, 64);

    @TempDir
    private Path folder = Path.of("");

    @Test
    void tellsTheStoriesThatItsTrainingProgramTells() throws Exception {
        Path model = embeddedModel();
        JsonNode goldens = goldens();
        HostOptions exact =
                new HostOptions(Optional.of(ActivationMode.F32), KernelChoice.AUTO, 2, OptionalLong.empty());
        try (Cluster cluster = Cluster.start(model, exact, F32_CACHE)) {
            goldens.get("tokenizer")
                    .forEach(vector -> assertThat(
                                    cluster.client().tokenize(vector.get("text").asString()).stream()
                                            .skip(1)
                                            .toList())
                            .as("tokens of %s after BOS", vector.get("text"))
                            .isEqualTo(ids(vector.get("ids"))));
            for (JsonNode golden : goldens.get("cases")) {
                check(cluster, golden, goldens.get("max_tokens").asInt());
            }
            cluster.checkInvariants();
        }
    }

    @Test
    void isSmallEnoughToShip() throws Exception {
        assertThat(Files.size(embeddedModel())).isLessThanOrEqualTo(2_000_000);
    }

    /** The readme's stories are what its commands print, but for line breaks. */
    @Test
    void tellsTheStoriesOfTheReadme() throws Exception {
        String readme = Files.readString(Path.of("..", "README.md"));
        List<MatchResult> stories = Pattern.compile("(?m)^\\$ \\./(baton generate .+)\\n((?s:.+?))```")
                .matcher(readme)
                .results()
                .toList();
        assertThat(stories).hasSize(3);
        EngineOptions engine = new EngineOptions(32, KvType.BF16, 256, OptionalLong.of(8 << 20), 4, 4);
        try (Cluster cluster = Cluster.start(embeddedModel(), HostOptions.defaults(), engine)) {
            for (MatchResult story : stories) {
                List<String> words = ShellWords.of(story.group(1));
                words.set(words.indexOf("--target") + 1, cluster.target());
                assertThat(CommandRun.printed(words.subList(1, words.size())))
                        .as(story.group(1))
                        .isEqualToNormalizingWhitespace(story.group(2));
            }
        }
    }

    private static void check(Cluster cluster, JsonNode golden, int maxTokens) {
        String prompt = golden.get("prompt").asString();
        GenerationResult result = cluster.client()
                .generate(GenerateSpec.text(prompt)
                        .maxTokens(maxTokens)
                        .prefillMode(PrefillMode.REMOTE)
                        .build())
                .result();
        assertThat(result.started().promptTokenIds())
                .as("tokens of \"%s\"", prompt)
                .isEqualTo(ids(golden.get("prompt_ids")));
        assertThat(result.route().kvBlocksReceived()).isPositive();
        List<Double> gaps =
                golden.get("gaps").valueStream().map(JsonNode::asDouble).toList();
        List<Integer> expected = ids(golden.get("output_ids"));
        int safe = (int) gaps.stream().takeWhile(gap -> gap >= SAFE_GAP).count();
        if (safe == gaps.size()) {
            boolean ended = golden.get("finish").asString().equals("eos");
            assertThat(result.only().reason()).isEqualTo(ended ? FinishReason.STOP : FinishReason.LENGTH);
        }
        int compared = Math.min(safe, expected.size());
        assertThat(result.only().tokenIds().subList(0, compared))
                .as("answer to \"%s\"", prompt)
                .isEqualTo(expected.subList(0, compared));
    }

    private Path embeddedModel() throws Exception {
        Path file = folder.resolve("demo-model.gguf");
        try (InputStream embedded = Objects.requireNonNull(Baton.class.getResourceAsStream("demo-model.gguf"))) {
            Files.copy(embedded, file);
        }
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        assertThat(HexFormat.of().formatHex(digest))
                .isEqualTo(goldens().get("model_sha256").asString());
        return file;
    }

    private static JsonNode goldens() throws Exception {
        try (InputStream goldens =
                Objects.requireNonNull(DemoModelTest.class.getResourceAsStream("/demo-model-goldens.json"))) {
            return JsonMapper.shared().readTree(goldens);
        }
    }

    private static List<Integer> ids(JsonNode array) {
        return array.valueStream().map(JsonNode::asInt).toList();
    }
}

package io.baton.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.GenerateSpec;
import io.baton.client.GenerationResult;
import io.baton.client.PrefillMode;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KvType;
import io.baton.testing.SharedFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Answers of trained models through the whole path equal those of references nobody here wrote. */
class GoldenAnswersTest {

    /** Below this distance of the two most likely tokens a reference in another precision may choose the other one. */
    private static final double TOO_CLOSE = 1e-4;

    private static final EngineOptions F32_CACHE =
            new EngineOptions(16, KvType.F32, 64, OptionalLong.of(64 << 20), 16, 64);

    @Test
    void stories260KTellsItsStoriesThroughARemotePrefill() throws Exception {
        Path model = SharedFiles.stories260K("stories260K-f32.gguf");
        check(model, SharedFiles.stories260K("golden_greedy.dev.json"));
    }

    @Test
    void stories260KFromAHuggingFaceFolderTellsTheSameStories() throws Exception {
        Path model = SharedFiles.stories260K("hf");
        check(model, SharedFiles.stories260K("golden_greedy.dev.json"));
    }

    @Test
    void llama2TinyRandomGivesItsGoldenTokens() throws Exception {
        check(
                SharedFiles.present("data/models/llama-2-tiny-random/llama-2-tiny-random.gguf"),
                SharedFiles.present("data/models/llama-2-tiny-random/golden_greedy.json"));
    }

    private static void check(Path model, Path goldens) throws Exception {
        JsonNode cases = new ObjectMapper().readTree(goldens.toFile()).get("cases");
        assertThat(cases.size()).isPositive();
        try (Cluster cluster = Cluster.start(model, HostOptions.defaults(), F32_CACHE)) {
            for (JsonNode golden : cases) {
                check(cluster, golden);
            }
            cluster.checkInvariants();
        }
    }

    private static void check(Cluster cluster, JsonNode golden) {
        String prompt = golden.get("prompt").asString();
        List<Integer> promptIds = ids(golden.get("prompt_ids"));
        List<Integer> expected = ids(golden.get("output_ids"));
        if (expected.isEmpty()) {
            return;
        }
        GenerationResult result = cluster.client()
                .generate(GenerateSpec.text(prompt)
                        .maxTokens(expected.size())
                        .prefillMode(PrefillMode.REMOTE)
                        .build())
                .result();
        assertThat(result.started().promptTokenIds())
                .as("tokens of \"%s\"", prompt)
                .isEqualTo(promptIds);
        List<Integer> found = result.only().tokenIds();
        boolean exact = golden.get("min_gap").asDouble() >= TOO_CLOSE;
        if (exact) {
            assertThat(startOf(found, expected.size()))
                    .as("answer to \"%s\"", prompt)
                    .isEqualTo(expected);
        } else {
            assertThat(found.getFirst()).as("answer to \"%s\"", prompt).isEqualTo(expected.getFirst());
        }
        assertThat(result.route().kvBlocksReceived()).isPositive();
    }

    /** The goldens stop at the end-of-sequence token without naming it. */
    private static List<Integer> startOf(List<Integer> found, int count) {
        return found.subList(0, Math.min(count, found.size()));
    }

    private static List<Integer> ids(JsonNode array) {
        return array.valueStream().map(JsonNode::asInt).toList();
    }
}

package io.baton.engine.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.ActivationMode;
import io.baton.engine.EngineHost;
import io.baton.engine.HostOptions;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Really trained models reproduce what a double-precision reference and llama.cpp agree on. */
class GoldenTokensTest {

    private static final double TOO_CLOSE_TO_CALL = 1e-4;

    @Test
    void storiesInF32ReproduceEveryGoldenToken() throws IOException {
        reproduces("stories260K/derived/stories260K-f32.gguf", "stories260K/derived/golden_greedy.dev.json");
    }

    @Test
    void aRandomModelWithUntiedOutputReproducesItsGoldens() throws IOException {
        reproduces("llama-2-tiny-random/llama-2-tiny-random.gguf", "llama-2-tiny-random/golden_greedy.json");
    }

    private static void reproduces(String model, String goldens) throws IOException {
        Path models = SharedFiles.present("data/models");
        HostOptions options =
                new HostOptions(Optional.of(ActivationMode.F32), KernelChoice.AUTO, 2, OptionalLong.empty());
        try (EngineHost host = EngineHost.open(models.resolve(model), options, LoadProgress.NONE)) {
            GoldenCases golden = GoldenCases.read(models.resolve(goldens));
            assertThat(golden.cases()).isNotEmpty();
            for (GoldenCases.Case expected : golden.cases()) {
                int[] found = GreedyRun.tokens(host, KvType.F32, expected.promptIds(), expected.outputIds().length);
                if (!Arrays.equals(found, expected.outputIds())) {
                    assertThat(expected.minGap())
                            .as("%s instead of %s", Arrays.toString(found), Arrays.toString(expected.outputIds()))
                            .isLessThan(TOO_CLOSE_TO_CALL);
                }
            }
        }
    }
}

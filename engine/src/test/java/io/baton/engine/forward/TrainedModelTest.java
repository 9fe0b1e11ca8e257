package io.baton.engine.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.ActivationMode;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.VectorKernels;
import io.baton.engine.model.DoubleReference;
import io.baton.engine.model.ModelPacker;
import io.baton.engine.model.PackedModel;
import io.baton.model.files.ModelFile;
import io.baton.testing.SharedFiles;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Logits of a trained model, in every form it comes in, against double precision over the same stored values. */
class TrainedModelTest {

    // BOS, then the beginning of a story.
    private static final int[] STORY = {
        1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338
    };

    private static final int WHOLE = 1 << 20;

    @ParameterizedTest
    @CsvSource({
        "stories260K-f32.gguf, F32, F32, 2e-4",
        "stories260K-f16.gguf, F32, F32, 2e-4",
        "stories260K-q8_0.gguf, F32, F32, 2e-4",
        "stories260K-f16.gguf, F32, BF16, 0.15",
        "stories260K-f16.gguf, F32, Q8, 0.3",
        "stories260K-q8_0.gguf, Q8, F32, 0.4",
        "stories260K-f16.gguf, BF16, F32, 0.3",
    })
    void logitsAreNearDoublePrecision(String name, ActivationMode mode, KvType kv, double tolerance) {
        try (ModelFile file = ModelFile.open(SharedFiles.stories260K(name))) {
            DoubleReference reference = new DoubleReference(file);
            double[] expected = {};
            for (int token : STORY) {
                expected = reference.next(token);
            }
            float[] found = answer(file, mode, kv).logits();
            assertThat(found).hasSameSizeAs(expected);
            double worst = 0;
            for (int i = 0; i < found.length; i++) {
                worst = Math.max(worst, Math.abs(found[i] - expected[i]));
            }
            assertThat(worst).isLessThan(tolerance);
        }
    }

    @Test
    void aModelGivesTheSameBitsFromGgufAndFromAHuggingFaceFolder() {
        for (ActivationMode mode : ActivationMode.values()) {
            try (ModelFile gguf = ModelFile.open(SharedFiles.stories260K("stories260K-f32.gguf"));
                    ModelFile folder = ModelFile.open(SharedFiles.stories260K("hf"))) {
                SequenceRun.Answer expected = answer(gguf, mode, KvType.BF16);
                assertThat(answer(folder, mode, KvType.BF16).differenceFrom(expected))
                        .isEmpty();
            }
        }
    }

    private static SequenceRun.Answer answer(ModelFile file, ActivationMode mode, KvType kv) {
        try (ComputeTeam team = ComputeTeam.of(1);
                PackedModel model = ModelPacker.pack(file, mode, team, LoadProgress.NONE)) {
            return new SequenceRun(model, new VectorKernels(), kv, 1, 32, WHOLE, 0).of(STORY);
        }
    }
}

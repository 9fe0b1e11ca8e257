package io.baton.engine.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.ActivationMode;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.KernelProvider;
import io.baton.engine.model.DoubleReference;
import io.baton.engine.model.LlamaFiles;
import io.baton.engine.model.ModelPacker;
import io.baton.engine.model.PackedModel;
import io.baton.engine.model.QuantisedModels;
import io.baton.model.files.GgufWriter;
import io.baton.model.files.ModelFile;
import io.baton.model.files.TensorType;
import io.baton.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How far quantised models are from double precision over the very values their files hold: what is left is the
 * rounding of activations. Prints the Kullback-Leibler divergence and how often the first choice is the same.
 */
class QuantisedLogitsTest {

    private static final int WHOLE = 1 << 20;

    // BOS, then the beginning of a story.
    private static final int[] STORY = {
        1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426, 338
    };

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL"})
    void aTrainedModelStaysNear(TensorType type) throws IOException {
        try (ModelFile original = ModelFile.open(SharedFiles.stories260K("stories260K-f32.gguf"))) {
            staysNear("stories260K " + type, QuantisedModels.requantised(original, type), STORY);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "Q4_K", "Q5_K", "Q6_K"})
    void aRandomModelOfWidth256StaysNear(TensorType type) throws IOException {
        int[] tokens =
                new Random(5).ints(16, 0, QuantisedModels.WIDE.vocabularySize()).toArray();
        staysNear("random " + type, QuantisedModels.llama(type, 5, QuantisedModels.WIDE), tokens);
    }

    /** The usual mix: values, down projections and the tied head in six bits, the rest in four. */
    @Test
    void aModelOfFourAndSixBitsStaysNear() throws IOException {
        int[] tokens =
                new Random(6).ints(16, 0, QuantisedModels.WIDE.vocabularySize()).toArray();
        GgufWriter writer = QuantisedModels.llama(
                QuantisedModels.WIDE,
                6,
                name -> name.startsWith("token_embd") || name.contains("attn_v") || name.contains("ffn_down")
                        ? TensorType.Q6_K
                        : TensorType.Q4_K);
        staysNear("random Q4_K and Q6_K", writer, tokens);
    }

    private void staysNear(String what, GgufWriter writer, int[] tokens) throws IOException {
        Path path = folder.resolve("model.gguf");
        writer.write(path);
        try (ModelFile file = ModelFile.open(path);
                ComputeTeam team = ComputeTeam.of(1)) {
            LlamaFiles.check(file);
            ActivationMode mode = LlamaFiles.defaultMode(file);
            assertThat(mode).isEqualTo(ActivationMode.Q8);
            DoubleReference reference = new DoubleReference(file);
            double divergence = 0;
            int agreed = 0;
            try (PackedModel model = ModelPacker.pack(file, mode, team, LoadProgress.NONE)) {
                SequenceRun run =
                        new SequenceRun(model, KernelProvider.of(KernelChoice.AUTO), KvType.F32, 1, 32, WHOLE, 0);
                for (int i = 0; i < tokens.length; i++) {
                    double[] expected = reference.next(tokens[i]);
                    float[] found = run.of(Arrays.copyOf(tokens, i + 1)).logits();
                    divergence += divergence(expected, found) / tokens.length;
                    agreed += best(expected) == best(found) ? 1 : 0;
                }
            }
            System.out.printf("%s: KL divergence %.2e, top-1 %d of %d%n", what, divergence, agreed, tokens.length);
            assertThat(divergence).isBetween(0.0, 0.02);
            assertThat(agreed).isGreaterThanOrEqualTo(tokens.length * 3 / 4);
        }
    }

    /** Of the softmax of {@code found} from that of {@code expected}, in nats. */
    private static double divergence(double[] expected, float[] found) {
        double[] other = new double[found.length];
        for (int i = 0; i < found.length; i++) {
            other[i] = found[i];
        }
        double p = logSumExp(expected);
        double q = logSumExp(other);
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            sum += Math.exp(expected[i] - p) * (expected[i] - p - (other[i] - q));
        }
        return Math.max(0, sum);
    }

    private static double logSumExp(double[] x) {
        double largest = Arrays.stream(x).max().orElseThrow();
        return largest
                + Math.log(Arrays.stream(x).map(v -> Math.exp(v - largest)).sum());
    }

    private static int best(double[] x) {
        int best = 0;
        for (int i = 1; i < x.length; i++) {
            best = x[i] > x[best] ? i : best;
        }
        return best;
    }

    private static int best(float[] x) {
        int best = 0;
        for (int i = 1; i < x.length; i++) {
            best = x[i] > x[best] ? i : best;
        }
        return best;
    }
}

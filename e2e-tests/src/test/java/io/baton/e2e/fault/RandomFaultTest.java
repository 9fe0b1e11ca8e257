package io.baton.e2e.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.GenerationResult;
import io.baton.client.PrefillMode;
import io.baton.client.SamplingSpec;
import io.baton.e2e.fault.FaultProxy.Direction;
import io.baton.testing.SharedFiles;
import io.baton.testing.TinyModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Breaks drawn at random, by seed: whatever happens where, the answer is the undisturbed one and nothing is left
 * behind.
 */
@Timeout(600)
class RandomFaultTest {

    private static final Duration GONE_WITHIN = Duration.ofSeconds(5);
    private static final Duration HEARD_WITHIN = Duration.ofSeconds(15);

    // -Dbaton.fault.seed and -Dbaton.fault.rounds look further.
    private static final long SEED = Long.getLong("baton.fault.seed", 20_261_121);
    private static final int ROUNDS = Integer.getInteger("baton.fault.rounds", 10);

    @Test
    void aRandomModelAnswersAsIfNothingHadHappened(@TempDir Path folder) throws Exception {
        Path model = TinyModel.ofContext(4_096).writeTo(folder.resolve("tiny.gguf"));
        breakAtRandom(model, 1_500, 400_000);
    }

    @Test
    void aTrainedModelAnswersAsIfNothingHadHappened() throws Exception {
        breakAtRandom(SharedFiles.stories260K("stories260K-f32.gguf"), 300, 200_000);
    }

    private static void breakAtRandom(Path model, int longestPrompt, int farthestByte) throws Exception {
        Random random = new Random(SEED);
        try (ClusterUnderTest cluster = ClusterUnderTest.start(model, ClusterUnderTest.Plan.of(2, 2))) {
            for (int round = 0; round < ROUNDS; round++) {
                List<Integer> prompt = TinyModel.prompt(20 + random.nextInt(longestPrompt - 20), random.nextLong());
                GenerationResult undisturbed = answer(cluster, prompt, round + "-undisturbed", PrefillMode.LOCAL);
                String broken = breakSomething(cluster, random, farthestByte);
                PrefillMode mode = random.nextBoolean() ? PrefillMode.REMOTE : PrefillMode.AUTO;
                GenerationResult answer = answer(cluster, prompt, round + "-disturbed", mode);
                assertThat(answer.only().tokenIds())
                        .as("seed %d, round %d: %s, %s", SEED, round, broken, answer.route())
                        .isEqualTo(undisturbed.only().tokenIds());
                heal(cluster);
                cluster.assertPoolsAtBaseline(GONE_WITHIN);
                cluster.awaitEveryNodeHeard(HEARD_WITHIN);
            }
        }
    }

    /** Salts keep the two answers' blocks apart, so that the second cannot live off the first one's. */
    private static GenerationResult answer(
            ClusterUnderTest cluster, List<Integer> prompt, String salt, PrefillMode mode) throws Exception {
        Witness witness = Witness.create();
        GenerateSpec spec = GenerateSpec.tokens(prompt)
                .maxTokens(100)
                .ignoreEos(true)
                .sampling(SamplingSpec.greedy().withTemperature(1))
                .seed(prompt.size())
                .cacheSalt(salt)
                .prefillMode(mode)
                .fallback(Fallback.LOCAL_PREFILL)
                .build();
        cluster.client().generate(spec, witness);
        return witness.result();
    }

    /** Token streams have no checksums of their own, so only KV is ever corrupted: TCP's, or TLS, protects both. */
    private static String breakSomething(ClusterUnderTest cluster, Random random, int farthestByte) {
        boolean decode = random.nextInt(4) == 0;
        int index = random.nextInt(2);
        Fault fault = switch (decode ? 0 : random.nextInt(5)) {
            case 0 -> new Fault.Cut();
            case 1 -> new Fault.Corrupt(1 << random.nextInt(8));
            case 2 -> new Fault.Stall();
            case 3 -> new Fault.HalfOpen();
            default -> new Fault.Throttle(2_000_000);
        };
        Direction direction = random.nextInt(4) == 0 && !(fault instanceof Fault.Corrupt)
                ? Direction.FROM_CLIENT
                : Direction.FROM_SERVER;
        long afterBytes = random.nextInt(decode ? 10_000 : direction == Direction.FROM_CLIENT ? 2_000 : farthestByte);
        (decode ? cluster.decodeProxy(index) : cluster.prefillProxy(index)).arm(direction, afterBytes, fault);
        return "%s of %s %d after %d bytes, %s"
                .formatted(fault, decode ? "decode" : "prefill", index, afterBytes, direction);
    }

    private static void heal(ClusterUnderTest cluster) {
        for (int i = 0; i < 2; i++) {
            cluster.prefillProxy(i).heal();
            cluster.decodeProxy(i).heal();
        }
    }
}

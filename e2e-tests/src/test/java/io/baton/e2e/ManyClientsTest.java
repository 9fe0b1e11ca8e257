package io.baton.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.BatonClient;
import io.baton.client.Generation;
import io.baton.client.PrefillMode;
import io.baton.client.SamplingSpec;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineLoad;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.testing.TinyModel;
import io.baton.testing.Waiting;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Sixty-four clients at once, each with prompts and parameters of its own, on a pool that is too small for all of them.
 */
class ManyClientsTest {

    private static final int CLIENTS = 64;
    private static final int WARM_UP_ROUNDS = 3; // until code is compiled and buffers are as large as they get
    private static final int ROUNDS = 8;
    private static final int CONTEXT = 512;
    private static final Duration BASELINE_WITHIN = Duration.ofSeconds(10);
    private static final long POOL_BYTES = 8L << 20;
    // A tenth of a megabyte for each of the 320 requests in between.
    private static final long MEMORY_GROWTH = 32L << 20;

    @TempDir
    static Path folder;

    @Test
    void everyAnswerIsTheOneGivenAloneAndNothingIsLeft() throws Exception {
        Path model = TinyModel.ofContext(CONTEXT).writeTo(folder.resolve("tiny.gguf"));
        List<Question> questions = questions(CLIENTS, 64);
        List<List<Answer.Token>> alone = alone(model, questions);
        EngineOptions engine = new EngineOptions(32, KvType.BF16, 64, OptionalLong.of(POOL_BYTES), 24, CLIENTS);
        try (Cluster cluster = Cluster.start(model, HostOptions.defaults(), engine);
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            long heap = 0;
            long offHeap = 0;
            for (int round = 0; round < ROUNDS; round++) {
                List<Future<List<Answer.Token>>> answers = new ArrayList<>();
                for (Question question : questions) {
                    answers.add(clients.submit(() -> ask(cluster.client(), question)));
                }
                for (int i = 0; i < CLIENTS; i++) {
                    assertThat(answers.get(i).get())
                            .as(
                                    "round %d, client %d, %d tokens",
                                    round, i, questions.get(i).prompt().size())
                            .isEqualTo(alone.get(i));
                }
                // An answer's end may be a step ahead of the nodes'.
                Waiting.until("no block is in use", BASELINE_WITHIN, () -> usedBlocks(cluster) == 0);
                cluster.checkInvariants();
                if (round == WARM_UP_ROUNDS - 1) {
                    heap = heapAfterCollection();
                    offHeap = OffHeapMemory.bytes();
                }
            }
            assertThat(heapAfterCollection() - heap)
                    .as("growth of the heap over %d rounds", ROUNDS - WARM_UP_ROUNDS)
                    .isLessThan(MEMORY_GROWTH);
            assertThat(OffHeapMemory.bytes() - offHeap)
                    .as("growth of memory beside the heap over %d rounds", ROUNDS - WARM_UP_ROUNDS)
                    .isLessThan(MEMORY_GROWTH);
        }
    }

    private static List<Question> questions(int count, long seed) {
        Random random = new Random(seed);
        List<Question> questions = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<Integer> prompt = TinyModel.prompt(1 + random.nextInt(200), random.nextLong());
            SamplingSpec sampling = SamplingSpec.greedy()
                    .withTemperature(random.nextInt(3) == 0 ? 0 : 0.3f + random.nextFloat())
                    .withTopK(random.nextInt(50))
                    .withTopP(0.7f + 0.3f * random.nextFloat())
                    .withMinP(random.nextBoolean() ? 0 : 0.1f * random.nextFloat())
                    .withTypicalP(random.nextBoolean() ? 1 : 0.5f + 0.5f * random.nextFloat())
                    .withPenalties(
                            random.nextBoolean() ? 1 : 0.8f + random.nextFloat(),
                            random.nextBoolean() ? 0 : 2 * random.nextFloat() - 1,
                            random.nextBoolean() ? 0 : 2 * random.nextFloat() - 1)
                    .withLogitBias(biases(random));
            questions.add(new Question(prompt, sampling, random.nextLong(), 1 + random.nextInt(12)));
        }
        return questions;
    }

    private static Map<Integer, Float> biases(Random random) {
        Map<Integer, Float> biases = new HashMap<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            biases.put(random.nextInt(TinyModel.VOCABULARY), 20 * random.nextFloat() - 10);
        }
        return biases;
    }

    private static List<List<Answer.Token>> alone(Path model, List<Question> questions) {
        try (EngineHost host = EngineHost.open(model, HostOptions.defaults(), LoadProgress.NONE)) {
            return questions.stream()
                    .map(question -> FullRecompute.generate(host, KvType.BF16, question))
                    .toList();
        }
    }

    private static List<Answer.Token> ask(BatonClient client, Question question) {
        try (Generation generation = client.generate(question.spec(PrefillMode.AUTO))) {
            return Answer.of(generation).tokens();
        }
    }

    private static int usedBlocks(Cluster cluster) {
        List<EngineLoad> loads = new ArrayList<>();
        cluster.prefillNodes().forEach(node -> loads.add(node.engine().load()));
        cluster.decodeNodes().forEach(node -> loads.add(node.engine().load()));
        return loads.stream().mapToInt(EngineLoad::usedBlocks).sum();
    }

    private static long heapAfterCollection() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}

package io.baton.engine.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.Engine;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineOptions;
import io.baton.engine.FillLease;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationRequest;
import io.baton.engine.HostOptions;
import io.baton.engine.KvType;
import io.baton.engine.LoadProgress;
import io.baton.engine.PrefillRequest;
import io.baton.engine.sample.SamplingParameters;
import io.baton.testing.SharedFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * On a trained model, an answer of the scheduler is bit for bit that of {@link FullRecompute}, logprobs included:
 * whatever the block size, the chunks, the batch, what is cached, and whether the prompt was computed here or
 * elsewhere.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RealModelSchedulerTest {

    private static final int REQUESTS = 12;

    @ParameterizedTest
    @CsvSource({"F32, 16, 7, 3", "BF16, 32, 32, 12", "BF16, 64, 1, 5", "Q8, 16, 100, 12"})
    void answersAreThoseOfAFullRecompute(KvType kv, int blockTokens, int chunkTokens, int maxSequences) {
        EngineOptions options =
                new EngineOptions(blockTokens, kv, chunkTokens, OptionalLong.empty(), maxSequences, REQUESTS);
        Random random = new Random(blockTokens * 31L + chunkTokens);
        try (EngineHost host = EngineHost.open(
                        SharedFiles.stories260K("stories260K-q8_0.gguf"), HostOptions.defaults(), LoadProgress.NONE);
                Engine decode = host.start("decode", options);
                Engine prefill = host.start("prefill", options)) {
            List<TestingGeneration> listeners = new ArrayList<>();
            List<GenerationHandle> handles = new ArrayList<>();
            for (int i = 0; i < REQUESTS; i++) {
                TestingGeneration listener = new TestingGeneration(request(random, "request " + i, blockTokens));
                listeners.add(listener);
                handles.add(decode.generate(listener.request, listener));
            }
            for (int i = 0; i < REQUESTS; i++) {
                listeners.get(i).admitted.join();
                if (random.nextBoolean()) {
                    handles.get(i).prefillLocally();
                } else {
                    fillFrom(prefill, listeners.get(i).request, handles.get(i));
                }
            }
            for (TestingGeneration listener : listeners) {
                listener.ended.join();
                assertThat(listener.tokens(0)).isEqualTo(FullRecompute.answer(host, kv, listener.request));
            }
            for (Engine engine : List.of(decode, prefill)) {
                engine.checkInvariants();
                assertThat(engine.load().usedBlocks()).isZero();
            }
        }
    }

    private static void fillFrom(Engine prefill, GenerationRequest request, GenerationHandle handle) {
        try (FillLease lease = handle.takeBlocks().join()) {
            Handoff.run(prefill, new PrefillRequest(request.owner(), request.promptTokens(), request.root(), 0), lease);
        }
    }

    /** Prompts end around multiples of the block size and share beginnings. */
    private static GenerationRequest request(Random random, String owner, int blockTokens) {
        int length = Math.max(1, blockTokens * (1 + random.nextInt(3)) - 1 + random.nextInt(3));
        int[] prompt = new Random(random.nextInt(2)).ints(length, 0, 512).toArray();
        SamplingParameters sampling = random.nextBoolean()
                ? SamplingParameters.GREEDY
                : new SamplingParameters(1, 0, 0.9f, 0, 1, 1.1f, 0, 0, Map.of());
        return new GenerationRequest(
                owner, prompt, Requests.NONE, Requests.ROOT, sampling, random.nextLong(), 20, Set.of(1), 2, 0);
    }
}

package io.baton.engine.schedule;

import io.baton.engine.EngineOptions;
import io.baton.engine.GenerationRequest;
import io.baton.engine.GenerationRequest.Answer;
import io.baton.engine.KvType;
import io.baton.engine.PrefillRequest;
import io.baton.engine.sample.SamplingParameters;
import io.baton.kv.SequenceRoot;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;

/** Makes requests for {@link TestingModel}. */
final class Requests {

    static final int BLOCK_TOKENS = 16;
    static final SequenceRoot ROOT = SequenceRoot.of(new byte[32], "", new byte[0], SequenceRoot.LOSSLESS);
    static final int[] NONE = {};

    private Requests() {}

    static EngineOptions options(int chunkTokens, int maxSequences, int maxWaiting) {
        return new EngineOptions(BLOCK_TOKENS, KvType.F32, chunkTokens, OptionalLong.empty(), maxSequences, maxWaiting);
    }

    static GenerationRequest greedy(String owner, int[] prompt, int maxTokens) {
        return new GenerationRequest(
                owner, prompt, NONE, ROOT, SamplingParameters.GREEDY, 1, maxTokens, Set.of(), -1, 0);
    }

    static PrefillRequest prefill(String owner, int[] tokens) {
        return new PrefillRequest(owner, tokens, ROOT, 0);
    }

    /** Few different prefixes, so that requests share them; poison is rare. */
    static int[] prompt(Random random, int maxTokens) {
        int[] tokens = new int[1 + random.nextInt(maxTokens)];
        for (int from = 0; from < tokens.length; from += BLOCK_TOKENS) {
            int token = random.nextInt(3) + (random.nextInt(30) == 0 ? random.nextInt(TestingModel.VOCABULARY - 3) : 0);
            Arrays.fill(tokens, from, Math.min(tokens.length, from + BLOCK_TOKENS), token);
        }
        return tokens;
    }

    static GenerationRequest generation(Random random, String owner, int maxPrompt, int maxOutput, int maxChoices) {
        SamplingParameters sampling = random.nextInt(3) == 0
                ? SamplingParameters.GREEDY
                : new SamplingParameters(
                        0.2f + random.nextFloat(),
                        random.nextInt(3) * 5,
                        random.nextBoolean() ? 1 : 0.8f,
                        0,
                        1,
                        random.nextBoolean() ? 1 : 1.2f,
                        0,
                        random.nextBoolean() ? 0 : 0.3f,
                        Map.of());
        return new GenerationRequest(
                owner,
                prompt(random, maxPrompt),
                Answer.fresh(random.nextInt(3), 1 + random.nextInt(maxChoices)),
                ROOT,
                sampling,
                random.nextLong(),
                1 + random.nextInt(maxOutput),
                random.nextBoolean() ? Set.of() : Set.of(7, 8),
                random.nextInt(4) - 1,
                random.nextInt(2));
    }

    /** The same request for one answer, resumed after its first {@code emitted} tokens. */
    static GenerationRequest resumed(GenerationRequest request, int[] emitted) {
        return resumed(request, List.of(new Answer(request.answers().getFirst().choice(), emitted)));
    }

    /** The same request, resumed with what is known of its answers. */
    static GenerationRequest resumed(GenerationRequest request, List<Answer> answers) {
        return new GenerationRequest(
                request.owner(),
                request.promptTokens(),
                answers,
                request.root(),
                request.sampling(),
                request.seed(),
                request.maxTokens(),
                request.stopTokens(),
                request.logprobs(),
                request.priority());
    }

    /** What is known of an answer. */
    static int[] emitted(GenerationRequest request, int choice) {
        return request.answers().stream()
                .filter(answer -> answer.choice() == choice)
                .map(Answer::emittedTokens)
                .findFirst()
                .orElseThrow();
    }
}

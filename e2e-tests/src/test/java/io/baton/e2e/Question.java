package io.baton.e2e;

import io.baton.client.GenerateSpec;
import io.baton.client.PrefillMode;
import io.baton.client.SamplingSpec;
import io.baton.engine.sample.SamplingParameters;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A prompt and how to answer it, drawn from a seed. */
record Question(List<Integer> prompt, SamplingSpec sampling, long seed, int maxTokens) {

    private static final int FIRST_ORDINARY_TOKEN = 3;

    /** Prompts one token short of, at, and one beyond multiples of every block size, with and without sampling. */
    static List<Question> drawn(long seed, int vocabulary, int maxTokens) {
        Random random = new Random(seed);
        List<Question> questions = new ArrayList<>();
        for (int length : new int[] {1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257}) {
            List<Integer> prompt = random.ints(length, FIRST_ORDINARY_TOKEN, vocabulary)
                    .boxed()
                    .toList();
            questions.add(new Question(prompt, sampling(random), random.nextLong(), maxTokens));
        }
        return questions;
    }

    private static SamplingSpec sampling(Random random) {
        return random.nextBoolean()
                ? SamplingSpec.greedy()
                : SamplingSpec.greedy()
                        .withTemperature(0.5f + random.nextFloat())
                        .withTopK(random.nextInt(40))
                        .withTopP(0.8f + 0.2f * random.nextFloat())
                        .withMinP(0.02f * random.nextFloat());
    }

    int[] promptIds() {
        return prompt.stream().mapToInt(Integer::intValue).toArray();
    }

    SamplingParameters engineSampling() {
        return new SamplingParameters(
                sampling.temperature(),
                sampling.topK(),
                sampling.topP(),
                sampling.minP(),
                sampling.typicalP(),
                sampling.repetitionPenalty(),
                sampling.presencePenalty(),
                sampling.frequencyPenalty(),
                sampling.logitBias());
    }

    GenerateSpec spec(PrefillMode mode) {
        return GenerateSpec.tokens(prompt)
                .sampling(sampling)
                .seed(seed)
                .maxTokens(maxTokens)
                .ignoreEos(true)
                .logprobs(0)
                .prefillMode(mode)
                .build();
    }
}

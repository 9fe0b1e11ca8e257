package io.baton.engine.schedule;

import io.baton.engine.GeneratedToken;
import io.baton.engine.GenerationRequest;
import io.baton.engine.ModelShape;
import io.baton.engine.sample.Candidates;
import io.baton.engine.sample.Sampler;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A model of hashes: what a token becomes in a layer depends on it, its position and, through attention, every K and V
 * before it, so a wrong block, a stale byte or a wrong position changes everything that follows. This class is its
 * definition, straight from the tokens; {@link TestingModelRunner} computes the same through blocks.
 */
final class TestingModel {

    static final int LAYERS = 2;
    static final int DIM = 4;
    static final int VOCABULARY = 40;
    static final int CONTEXT = 200;

    /** Its activations are not finite. */
    static final int POISON = 39;

    static final ModelShape SHAPE =
            new ModelShape("hashes", "testing", LAYERS, DIM, DIM, 1, 1, DIM, VOCABULARY, CONTEXT);

    private TestingModel() {}

    static long mix(long a, long b) {
        long z = a * 0x9E3779B97F4A7C15L + b + 0x632BE59BD9B4E019L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    static long embed(int token, int position) {
        return mix(token, position);
    }

    /** What is cached of a row in a layer; never 0, which is an empty slot. */
    static long kv(long input, int layer) {
        return mix(input, layer + 1) | 1;
    }

    static float[] hidden(long state) {
        float[] hidden = new float[DIM];
        for (int i = 0; i < DIM; i++) {
            hidden[i] = (state >>> (16 * i)) & 0xffff;
        }
        return hidden;
    }

    static float[] logits(float[] hidden) {
        long state = 0;
        for (int i = 0; i < DIM; i++) {
            state |= (long) hidden[i] << (16 * i);
        }
        float[] logits = new float[VOCABULARY];
        for (int token = 0; token < VOCABULARY; token++) {
            logits[token] = ((mix(state, token) >>> 20) % 512) / 64f;
        }
        logits[POISON] = (mix(state, VOCABULARY) & 0x1ff) == 0 ? 100 : -100; // now and then a sequence turns bad
        return logits;
    }

    /** K and V of every layer and position, and the last position's hidden state. */
    record Computed(long[][] kv, float[] hidden) {}

    static Computed compute(int[] tokens) {
        long[] inputs = new long[tokens.length];
        Arrays.setAll(inputs, position -> embed(tokens[position], position));
        long[][] kv = new long[LAYERS][tokens.length];
        for (int layer = 0; layer < LAYERS; layer++) {
            long attended = 0;
            for (int position = 0; position < tokens.length; position++) {
                kv[layer][position] = kv(inputs[position], layer);
                attended = mix(attended, kv[layer][position]);
                inputs[position] = mix(inputs[position], attended);
            }
        }
        return new Computed(kv, hidden(inputs[tokens.length - 1]));
    }

    /** What a request must give: the tokens of each choice, and how each ends. */
    record Answer(List<GeneratedToken> tokens, End end) {}

    enum End {
        STOP,
        LENGTH,
        INTERNAL
    }

    static Answer answer(GenerationRequest request, int choice) {
        int[] emitted = Requests.emitted(request, choice);
        int[] sequence = Arrays.copyOf(request.promptTokens(), request.promptTokens().length + emitted.length);
        System.arraycopy(emitted, 0, sequence, request.promptTokens().length, emitted.length);
        Sampler sampler = new Sampler(
                request.sampling(), request.seed(), choice, request.promptTokens(), emitted, request.logprobs());
        int limit = Math.min(request.maxTokens(), CONTEXT - request.promptTokens().length);
        int outputs = emitted.length;
        Candidates scratch = new Candidates(VOCABULARY);
        List<GeneratedToken> tokens = new ArrayList<>();
        if (outputs > 0 && request.stopTokens().contains(emitted[outputs - 1])) {
            return new Answer(tokens, End.STOP);
        }
        while (outputs < limit) {
            if (Arrays.stream(sequence).anyMatch(token -> token == POISON)) {
                return new Answer(tokens, End.INTERNAL);
            }
            GeneratedToken token = sampler.next(logits(compute(sequence).hidden()), scratch);
            tokens.add(token);
            outputs++;
            if (request.stopTokens().contains(token.tokenId())) {
                return new Answer(tokens, End.STOP);
            }
            sequence = Arrays.copyOf(sequence, sequence.length + 1);
            sequence[sequence.length - 1] = token.tokenId();
        }
        return new Answer(tokens, End.LENGTH);
    }
}

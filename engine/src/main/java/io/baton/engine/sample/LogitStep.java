package io.baton.engine.sample;

import java.util.Map;

/** Changes logits in place before a token is drawn. */
sealed interface LogitStep {

    void apply(float[] logits, TokenCounts counts);

    /**
     * For each token of prompt or output: {@code z > 0 ? z / penalty : z * penalty}. Keskar et al., "CTRL: a
     * conditional transformer language model", 2019; the case for negative logits as in Hugging Face transformers.
     */
    record Repetition(float penalty) implements LogitStep {
        @Override
        public void apply(float[] logits, TokenCounts counts) {
            for (int token : counts.seen()) {
                float z = logits[token];
                logits[token] = z > 0 ? z / penalty : z * penalty;
            }
        }
    }

    /** For each token of the output: {@code z - presence - count * frequency}. OpenAI API reference. */
    record Occurrence(float presence, float frequency) implements LogitStep {
        @Override
        public void apply(float[] logits, TokenCounts counts) {
            counts.inOutput().forEach((token, count) -> logits[token] -= presence + count * frequency);
        }
    }

    /** {@code z + bias}. OpenAI API reference. */
    record Bias(Map<Integer, Float> biases) implements LogitStep {
        @Override
        public void apply(float[] logits, TokenCounts counts) {
            biases.forEach((token, bias) -> logits[token] += bias);
        }
    }
}

package io.baton.engine.sample;

import io.baton.engine.GeneratedToken.TokenLogprob;
import java.util.ArrayList;
import java.util.List;

/**
 * Log probabilities under unmodified logits: {@code z - log(sum(exp(z)))}, the sum in token order, in double with
 * {@link StrictMath} and shifted by the highest logit; the result is rounded to float.
 */
final class Logprobs {

    private final float[] logits;
    private final double logSum;

    Logprobs(float[] logits) {
        this.logits = logits;
        float highest = Float.NEGATIVE_INFINITY;
        for (float z : logits) {
            highest = Math.max(highest, z);
        }
        double sum = 0;
        for (float z : logits) {
            sum += StrictMath.exp((double) z - highest);
        }
        logSum = highest + StrictMath.log(sum);
    }

    float of(int token) {
        return (float) (logits[token] - logSum);
    }

    /** The {@code count} most likely tokens, most likely first, ties by lower id. */
    List<TokenLogprob> top(int count, Candidates scratch) {
        if (count == 0) {
            return List.of();
        }
        scratch.load(logits, Temperature.ONE);
        List<TokenLogprob> top = new ArrayList<>(count);
        for (int rank = 0; rank < Math.min(count, logits.length); rank++) {
            int token = scratch.token(rank);
            top.add(new TokenLogprob(token, of(token)));
        }
        return top;
    }
}

package io.baton.engine.schedule;

import io.baton.engine.GenerationRequest.Answer;
import io.baton.engine.sample.Sampler;
import org.jspecify.annotations.Nullable;

/**
 * One answer in the running batch: from the prompt on, first through the output that is known of it, if others share
 * the prompt, then token by token. Belongs to the scheduler thread.
 */
final class Choice {

    final Generation generation;
    final int number;
    final SequenceKv kv;
    final Sampler sampler;
    private final int[] lastToken = new int[1];
    private final float[] state;
    int[] uncomputed = lastToken; // output without K and V yet: the token sampled last, or all that is known
    int computed; // of uncomputed
    float @Nullable [] hidden; // of the last computed token; the head turns it into the next one
    int outputs;
    boolean ended;
    int entry; // in the batch of this step
    int rows; // there

    Choice(Generation generation, Answer answer, SequenceKv kv, int dim) {
        this.generation = generation;
        this.number = answer.choice();
        this.kv = kv;
        this.sampler = new Sampler(
                generation.request.sampling(),
                generation.request.seed(),
                number,
                generation.request.promptTokens(),
                answer.emittedTokens(),
                generation.request.logprobs());
        this.outputs = answer.emittedTokens().length;
        this.state = new float[dim];
    }

    /** Goes on from the prompt's hidden state, through {@code known}, output that is not in {@link #kv} yet. */
    void start(float[] promptHidden, int[] known) {
        if (known.length == 0) {
            hidden = promptHidden;
            return;
        }
        uncomputed = known;
        for (int token : known) {
            kv.append(token);
        }
    }

    /** Tokens of output without K and V yet; more than one while known output is computed. */
    int tokensLeft() {
        return uncomputed.length - computed;
    }

    /** Where the next hidden state goes; it is {@link #hidden} from now on. */
    float[] nextHidden() {
        hidden = state;
        return state;
    }

    /** The hidden state, which must be there. */
    float[] hiddenState() {
        float[] ready = hidden;
        if (ready == null) {
            throw new IllegalStateException(this + " has no hidden state");
        }
        return ready;
    }

    void append(int token) {
        hidden = null;
        lastToken[0] = token;
        uncomputed = lastToken;
        computed = 0;
        outputs++;
        kv.append(token);
    }

    @Override
    public String toString() {
        return generation.owner + " choice " + number;
    }
}

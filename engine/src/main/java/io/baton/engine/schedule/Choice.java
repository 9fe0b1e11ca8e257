package io.baton.engine.schedule;

import io.baton.engine.sample.Sampler;
import org.jspecify.annotations.Nullable;

/** One answer in the running batch. Belongs to the scheduler thread. */
final class Choice {

    final Generation generation;
    final int number;
    final SequenceKv kv;
    final Sampler sampler;
    final int[] lastToken = new int[1]; // sampled, its K and V not computed yet
    private final float[] state;
    float @Nullable [] hidden; // of the last computed token; the head turns it into the next one
    int outputs;
    boolean ended;
    int entry; // in the batch of this step

    Choice(Generation generation, int number, SequenceKv kv, int dim) {
        this.generation = generation;
        this.number = number;
        this.kv = kv;
        this.sampler = new Sampler(
                generation.request.sampling(),
                generation.request.seed(),
                number,
                generation.request.promptTokens(),
                generation.request.emittedTokens(),
                generation.request.logprobs());
        this.outputs = generation.request.emittedTokens().length;
        this.state = new float[dim];
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
        outputs++;
        kv.append(token);
    }

    @Override
    public String toString() {
        return generation.owner + " choice " + number;
    }
}

package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.FinishReason;
import io.baton.engine.GenerationListener;
import io.baton.engine.GenerationRequest;
import io.baton.engine.GenerationTimes;
import io.baton.kv.BlockChain;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A request to generate, from submission to its last token. Fields belong to the scheduler thread unless volatile. */
final class Generation extends Sequence {

    /** Where it is between submission and its end. */
    enum Phase {
        /** Until its blocks are committed. */
        WAITING,
        /** Until the caller says where the prompt is computed. */
        ADMITTED,
        /** Its blocks are being filled from outside. */
        LENT,
        /** Its prompt is being computed here. */
        PREFILLING,
        /** Its choices are in the running batch. */
        RUNNING
    }

    final GenerationRequest request;
    final GenerationListener listener;
    final int maxOutput; // the request's limit, or what the context leaves
    final List<Choice> choices = new ArrayList<>();
    Phase phase = Phase.WAITING;

    @Nullable
    Fill fill;

    @Nullable
    EngineException failure;

    private long admittedNanos;
    private long prefillAskedNanos;
    private long promptDoneNanos;
    private boolean firstGiven;
    private volatile GenerationTimes times =
            new GenerationTimes(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO);

    Generation(
            GenerationRequest request,
            GenerationListener listener,
            int[] tokens,
            BlockChain chain,
            int neededBlocks,
            int maxOutput,
            long now) {
        super(request.owner(), request.priority(), tokens, chain, neededBlocks, now);
        this.request = request;
        this.listener = listener;
        this.maxOutput = maxOutput;
    }

    /** Why the output emitted before is complete, if it is: its node was lost after the last token. */
    Optional<FinishReason> knownEnd() {
        int[] emitted = request.emittedTokens();
        if (emitted.length > 0 && request.stopTokens().contains(emitted[emitted.length - 1])) {
            return Optional.of(FinishReason.STOP);
        }
        return emitted.length >= maxOutput ? Optional.of(FinishReason.LENGTH) : Optional.empty();
    }

    EngineException misuse(String call) {
        return new EngineException(
                EngineException.Kind.INTERNAL,
                "%s called while %s is %s; it must be admitted and its blocks not lent".formatted(call, owner, phase));
    }

    GenerationTimes times() {
        return times;
    }

    void admitted(long now) {
        phase = Phase.ADMITTED;
        admittedNanos = now;
        times = new GenerationTimes(nanos(submittedNanos, now), Duration.ZERO, Duration.ZERO, Duration.ZERO);
    }

    void prefillAsked(long now) {
        phase = Phase.PREFILLING;
        prefillAskedNanos = now;
    }

    void promptDone(long now) {
        boolean here = phase == Phase.PREFILLING;
        phase = Phase.RUNNING;
        promptDoneNanos = now;
        times = new GenerationTimes(
                nanos(submittedNanos, admittedNanos),
                here ? nanos(prefillAskedNanos, firstChunkNanos) : Duration.ZERO,
                here ? nanos(firstChunkNanos, now) : Duration.ZERO,
                Duration.ZERO);
    }

    void tokenGiven(long now) {
        if (firstGiven) {
            return;
        }
        firstGiven = true;
        times = new GenerationTimes(
                times.admission(), times.prefillQueue(), times.prefillCompute(), nanos(promptDoneNanos, now));
    }

    private static Duration nanos(long from, long to) {
        return Duration.ofNanos(to - from);
    }

    @Override
    int forkBlocks() {
        return (request.choices() - 1) * (neededBlocks - tokens.length / chain.blockTokens());
    }

    @Override
    boolean blocksLent() {
        return fill != null;
    }

    @Override
    void tellFailed(EngineException cause) {
        listener.failed(cause);
    }
}

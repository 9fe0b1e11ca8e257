package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.EngineOptions;
import io.baton.engine.FinishReason;
import io.baton.engine.GenerationRequest.Answer;
import io.baton.engine.ModelShape;
import io.baton.engine.PrefillTimes;
import io.baton.engine.schedule.Generation.Phase;
import io.baton.kv.BlockLease;
import io.baton.kv.KvCache;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which sequence is where, and what moves it on: waiting → admitted → (lent to be filled | prefilling) → running →
 * ended. An ended sequence whose blocks somebody may still touch is held until that ends. Confined to the scheduler
 * thread.
 */
final class Schedule {

    private static final Logger log = LoggerFactory.getLogger(Schedule.class);
    private static final int[] NOTHING = {};

    final ModelShape shape;
    final EngineOptions options;
    final ModelRunner runner;
    final KvCache cache;
    final CacheBroadcast broadcast = new CacheBroadcast();
    final LoadMeter meter;
    final LongSupplier clock;

    final NavigableSet<Sequence> waiting = new TreeSet<>(Sequence.ORDER);
    final Set<Generation> admitted = new LinkedHashSet<>(); // until they end
    final NavigableSet<Sequence> prefilling = new TreeSet<>(Sequence.ORDER);
    final Set<Choice> running = new LinkedHashSet<>();
    final Set<Sequence> held = new LinkedHashSet<>(); // ended, but their blocks are lent
    private int occupied; // of maxSequences
    private long arrivals;
    private @Nullable EngineException shutdown;

    Schedule(ModelShape shape, EngineOptions options, ModelRunner runner, LongSupplier clock) {
        this.shape = shape;
        this.options = options;
        this.runner = runner;
        this.clock = clock;
        this.meter = new LoadMeter(options.chunkTokens());
        this.cache = KvCache.ofCapacity(runner.blocks(), options.blockTokens(), broadcast);
    }

    boolean hasWork() {
        return !running.isEmpty() || !prefilling.isEmpty();
    }

    // Waiting and admission.

    void submit(Sequence sequence) {
        EngineException closing = shutdown;
        if (closing != null) {
            fail(sequence, closing);
            return;
        }
        if (waiting.size() >= options.maxWaiting()) {
            admit(); // what was submitted just before may not have to wait
        }
        if (waiting.size() >= options.maxWaiting()) {
            fail(
                    sequence,
                    new EngineException(
                            Kind.RESOURCE_EXHAUSTED,
                            "%d requests wait already, the limit; retry later or raise max-waiting"
                                    .formatted(waiting.size())));
            return;
        }
        if (sequence instanceof Generation generation && generation.knownEnd().isPresent()) {
            finishAtOnce(generation, generation.knownEnd().get());
            return;
        }
        sequence.arrival = ++arrivals;
        waiting.add(sequence);
    }

    /** Admits in order as long as there is room; a later request never overtakes one that waits for blocks. */
    void admit() {
        while (!waiting.isEmpty() && hasRoomFor(waiting.first())) {
            Sequence first = waiting.first();
            long asked = clock.getAsLong();
            Optional<BlockLease> lease = cache.tryAdmit(
                    first.owner,
                    first.chain.hashes().subList(0, first.reusableBlocks()),
                    first.neededBlocks,
                    first.forkBlocks());
            if (lease.isEmpty()) {
                break;
            }
            waiting.remove(first);
            first.lookupNanos = clock.getAsLong() - asked;
            first.kv = new SequenceKv(lease.get(), first.chain, runner);
            switch (first) {
                case Generation generation -> admitted(generation);
                case Prefill prefill -> start(prefill);
            }
        }
        tellPlaces();
    }

    private boolean hasRoomFor(Sequence sequence) {
        return switch (sequence) {
            case Generation generation -> occupied + generation.request.choices() <= options.maxSequences();
            case Prefill prefill -> prefillTokensLeft() < options.chunkTokens(); // it would be in the next step
        };
    }

    private void admitted(Generation generation) {
        generation.admitted(clock.getAsLong());
        admitted.add(generation);
        occupied += generation.request.choices();
        tell(generation, () -> generation.listener.admitted(generation.kv().computed(), generation.tokens.length));
    }

    private void start(Prefill prefill) {
        prefilling.add(prefill);
        SequenceKv kv = prefill.kv();
        TableUnits units = new TableUnits(runner, kv.table(), prefill.neededBlocks, shape.layers());
        tell(prefill, () -> prefill.listener.started(kv.blocks(), units));
    }

    private void tellPlaces() {
        int ahead = prefilling.size();
        for (Sequence sequence : List.copyOf(waiting)) {
            int place = ahead++;
            if (sequence instanceof Prefill prefill && prefill.requestsAhead != place) {
                prefill.requestsAhead = place;
                tell(prefill, () -> prefill.listener.queued(place));
            }
        }
    }

    long prefillTokensLeft() {
        return prefilling.stream().mapToLong(Sequence::tokensLeft).sum();
    }

    // From admission to running.

    void prefillLocally(Generation generation) {
        if (generation.ended) {
            return;
        }
        if (generation.phase != Phase.ADMITTED) {
            fail(generation, generation.misuse("prefillLocally"));
            return;
        }
        generation.prefillAsked(clock.getAsLong());
        prefilling.add(generation);
    }

    /** What another sequence computed since this one was admitted need not be computed again. */
    void reuse(Sequence sequence) {
        int before = sequence.kv().computed();
        sequence.kv().reuse(sequence.reusableBlocks());
        int now = sequence.kv().computed();
        if (now > before && sequence instanceof Prefill prefill) {
            tell(prefill, () -> {
                for (int layer = 0; layer < shape.layers(); layer++) {
                    prefill.listener.layerFinished(layer, before, now);
                }
                prefill.listener.chunkFinished(now);
            });
        }
    }

    /** Tokens up to {@code end} are computed; {@code hidden} is there when those were the last. */
    void chunkDone(Sequence sequence, int end, float @Nullable [] hidden) {
        sequence.kv().advanceTo(end);
        if (hidden != null) {
            prefilling.remove(sequence);
        }
        switch (sequence) {
            case Generation generation -> {
                if (tell(generation, () -> generation.listener.prefilled(end)) && hidden != null) {
                    run(generation, hidden);
                }
            }
            case Prefill prefill -> {
                if (tell(prefill, () -> prefill.listener.chunkFinished(end)) && hidden != null) {
                    finish(prefill, hidden);
                }
            }
        }
    }

    /** Its prompt is computed: its answers join the running batch. */
    void run(Generation generation, float[] hidden) {
        generation.promptDone(clock.getAsLong());
        List<Answer> answers = generation.request.answers();
        for (Answer answer : answers) { // all forks are made before an answer goes on
            SequenceKv kv = generation.choices.isEmpty()
                    ? generation.kv()
                    : generation.kv().fork(generation.owner + " choice " + answer.choice(), generation.neededBlocks);
            Choice choice = new Choice(generation, answer, kv, shape.dim());
            generation.choices.add(choice);
            running.add(choice);
        }
        for (int i = 0; i < answers.size(); i++) {
            boolean inPrompt = answers.size() == 1;
            generation
                    .choices
                    .get(i)
                    .start(hidden, inPrompt ? NOTHING : answers.get(i).emittedTokens());
        }
    }

    // Ends.

    private void finish(Prefill prefill, float[] hidden) {
        prefill.ended = true;
        held.add(prefill);
        PrefillTimes times = new PrefillTimes(
                Duration.ofNanos(prefill.firstChunkNanos - prefill.submittedNanos - prefill.lookupNanos),
                Duration.ofNanos(prefill.lookupNanos),
                Duration.ofNanos(clock.getAsLong() - prefill.firstChunkNanos));
        tellEnd(prefill, () -> prefill.listener.finished(hidden, times));
    }

    void finish(Choice choice, FinishReason reason) {
        Generation generation = choice.generation;
        end(choice);
        if (!tell(generation, () -> generation.listener.choiceFinished(choice.number, reason))
                || generation.choices.stream().anyMatch(each -> !each.ended)) {
            return;
        }
        generation.ended = true;
        admitted.remove(generation);
        tellEnd(generation, () -> generation.listener.finished(reason, generation.times()));
    }

    /** Ends a sequence whose output was complete when it was submitted. */
    void finishAtOnce(Generation generation, FinishReason reason) {
        generation.ended = true;
        tellEnd(generation, () -> generation.listener.finished(reason, generation.times()));
    }

    private void end(Choice choice) {
        choice.ended = true;
        running.remove(choice);
        choice.kv.close();
        occupied--;
    }

    /** Ends a sequence, wherever it is, unless it has ended. */
    void fail(Sequence sequence, EngineException cause) {
        if (sequence.ended) {
            return;
        }
        sequence.ended = true;
        try {
            withdraw(sequence, cause);
        } finally { // whatever is wrong here, its caller must not wait forever
            tellEnd(sequence, () -> sequence.tellFailed(cause));
        }
    }

    private void withdraw(Sequence sequence, EngineException cause) {
        waiting.remove(sequence);
        prefilling.remove(sequence);
        if (sequence instanceof Generation generation) {
            generation.failure = cause;
            if (admitted.remove(generation) && generation.choices.isEmpty()) {
                occupied -= generation.request.choices();
            }
            generation.choices.stream().filter(choice -> !choice.ended).forEach(this::end);
        }
        if (sequence.kv != null) {
            if (sequence.blocksLent()) {
                held.add(sequence);
            } else {
                sequence.kv.close();
            }
        }
    }

    /** The caller reads no unit of the prefill any more. */
    void release(Prefill prefill) {
        prefill.released = true;
        if (prefill.ended) {
            releaseHeld(prefill);
        } else {
            fail(prefill, new EngineException(Kind.CANCELLED, prefill + " was released before it ended"));
        }
    }

    /** Nobody touches the blocks of an ended sequence any more. */
    void releaseHeld(Sequence sequence) {
        if (held.remove(sequence)) {
            sequence.kv().close();
        }
    }

    /** Ends every sequence and refuses new ones. */
    void shutDown(EngineException cause) {
        shutdown = cause;
        List<Sequence> all = new ArrayList<>(waiting);
        all.addAll(admitted);
        all.addAll(prefilling);
        for (Sequence sequence : all) {
            try {
                fail(sequence, cause);
            } catch (RuntimeException | Error defect) {
                log.error("{} could not be withdrawn; the others still are", sequence, defect);
            }
        }
    }

    boolean isShutDown() {
        return shutdown != null;
    }

    int occupied() {
        return occupied;
    }

    /** Calls a listener; if it throws, its sequence ends. */
    boolean tell(Sequence sequence, Runnable call) {
        try {
            call.run();
            return true;
        } catch (RuntimeException | Error e) {
            log.error("the listener of {} threw; the sequence ends", sequence, e);
            fail(
                    sequence,
                    new EngineException(Kind.INTERNAL, "the listener of %s threw: %s".formatted(sequence, e), e));
            return false;
        }
    }

    private static void tellEnd(Sequence sequence, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException | Error e) {
            log.error("the listener of {} threw at its end", sequence, e);
        }
    }
}

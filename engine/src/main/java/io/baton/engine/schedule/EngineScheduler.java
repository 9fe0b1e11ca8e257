package io.baton.engine.schedule;

import io.baton.engine.CacheListener;
import io.baton.engine.Engine;
import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.EngineLoad;
import io.baton.engine.EngineOptions;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationListener;
import io.baton.engine.GenerationRequest;
import io.baton.engine.ModelShape;
import io.baton.engine.PrefillHandle;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillRequest;
import io.baton.engine.compute.Niceness;
import io.baton.kv.SequenceFingerprint;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An engine: one thread that owns every sequence, block and cache entry, and sleeps when there is nothing to do. Other
 * threads put what they want into its inbox. Listeners are called on that thread, except that a request which finds the
 * inbox full or the engine closed is refused on the caller's.
 */
public final class EngineScheduler implements Engine {

    private static final Logger log = LoggerFactory.getLogger(EngineScheduler.class);

    /** How long {@link #close} waits for lent blocks: a stalled transfer is abandoned after five seconds. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** Submissions the thread has not looked at yet, beside those it lets wait: a burst while one chunk is computed. */
    private static final int BURST = 1024;

    private final SequenceFingerprint fingerprint;
    private final Duration patience;
    private final Inbox inbox;
    private final Intake intake;
    private final Schedule schedule;
    private final Fills fills;
    private final Step step;
    private final Thread thread;
    private volatile EngineLoad counts;
    private long giveUpNanos; // when shutting down; the scheduler thread's

    private EngineScheduler(
            String name,
            ModelShape shape,
            SequenceFingerprint fingerprint,
            EngineOptions options,
            ModelRunner runner,
            LongSupplier nanoClock,
            Duration patience) {
        this.fingerprint = fingerprint;
        this.patience = patience;
        this.inbox = new Inbox(options.maxWaiting() + BURST);
        this.intake = new Intake(shape, options, runner.blocks(), nanoClock);
        this.schedule = new Schedule(shape, options, runner, nanoClock);
        this.fills = new Fills(schedule, inbox);
        this.step = new Step(schedule);
        this.counts = schedule.meter.counts(schedule);
        this.thread = new Thread(this::run, "baton-engine-" + name);
        thread.setDaemon(true);
    }

    /**
     * Starts an engine.
     *
     * @param name names its thread
     * @param runner owned by the engine from now on; takes batches of {@link #maxRows} rows
     * @param nanoClock measures durations, e.g. {@code System::nanoTime}
     */
    public static EngineScheduler start(
            String name,
            ModelShape shape,
            SequenceFingerprint fingerprint,
            EngineOptions options,
            ModelRunner runner,
            LongSupplier nanoClock) {
        return start(name, shape, fingerprint, options, runner, nanoClock, PATIENCE);
    }

    static EngineScheduler start(
            String name,
            ModelShape shape,
            SequenceFingerprint fingerprint,
            EngineOptions options,
            ModelRunner runner,
            LongSupplier nanoClock,
            Duration patience) {
        EngineScheduler engine = new EngineScheduler(name, shape, fingerprint, options, runner, nanoClock, patience);
        engine.thread.start();
        return engine;
    }

    /** Without a thread: the caller makes its {@linkplain #turn turns}, so that a test sees every state in between. */
    static EngineScheduler stepwise(
            ModelShape shape, EngineOptions options, ModelRunner runner, LongSupplier nanoClock) {
        SequenceFingerprint none = new SequenceFingerprint(new byte[32], "", "", 0, "", 16, "", "", new byte[32]);
        return new EngineScheduler("stepwise", shape, none, options, runner, nanoClock, Duration.ZERO);
    }

    /** Rows of the largest batch an engine makes. */
    public static int maxRows(EngineOptions options) {
        return options.maxSequences() + options.chunkTokens();
    }

    @Override
    public SequenceFingerprint fingerprint() {
        return fingerprint;
    }

    @Override
    public ModelShape shape() {
        return schedule.shape;
    }

    @Override
    public EngineOptions options() {
        return schedule.options;
    }

    @Override
    public long unitBytes() {
        return schedule.runner.unitBytes();
    }

    @Override
    public EngineLoad load() {
        return schedule.meter.load(counts, schedule.clock.getAsLong());
    }

    @Override
    public PrefillHandle prefill(PrefillRequest request, PrefillListener listener) {
        Optional<EngineException> refusal = intake.refusal(request);
        Prefill prefill = refusal.isEmpty() ? intake.prefill(request, listener) : intake.refused(request, listener);
        submit(prefill, refusal);
        return new PrefillControl(prefill, schedule, inbox);
    }

    @Override
    public GenerationHandle generate(GenerationRequest request, GenerationListener listener) {
        Optional<EngineException> refusal = intake.refusal(request);
        Generation generation =
                refusal.isEmpty() ? intake.generation(request, listener) : intake.refused(request, listener);
        submit(generation, refusal);
        return new GenerationControl(generation, schedule, fills, inbox);
    }

    private void submit(Sequence sequence, Optional<EngineException> refusal) {
        Inbox.Offer offer = inbox.submit(() ->
                refusal.ifPresentOrElse(cause -> schedule.fail(sequence, cause), () -> schedule.submit(sequence)));
        switch (offer) {
            case TAKEN -> {}
            case FULL ->
                refuseHere(
                        sequence,
                        new EngineException(
                                Kind.RESOURCE_EXHAUSTED, "the engine's inbox is full; retry later or add nodes"));
            case CLOSED -> refuseHere(sequence, closed());
        }
    }

    private static void refuseHere(Sequence sequence, EngineException cause) {
        sequence.ended = true; // the scheduler thread never hears of it
        sequence.tellFailed(cause);
    }

    static EngineException closed() {
        return new EngineException(Kind.UNAVAILABLE, "the engine is closed; send the request to another node");
    }

    @Override
    public void watchCache(CacheListener listener) {
        inbox.post(() -> schedule.broadcast.add(listener, schedule.cache.cachedKeys()));
    }

    @Override
    public void unwatchCache(CacheListener listener) {
        inbox.post(() -> schedule.broadcast.remove(listener));
    }

    @Override
    public void checkInvariants() {
        if (onSchedulerThread()) {
            new ScheduleAudit(schedule).run();
            return;
        }
        CompletableFuture<Optional<RuntimeException>> audited = new CompletableFuture<>();
        Runnable audit = () -> {
            try {
                new ScheduleAudit(schedule).run();
                audited.complete(Optional.empty());
            } catch (RuntimeException e) {
                audited.complete(Optional.of(e));
            }
        };
        if (!inbox.post(audit)) {
            throw new IllegalStateException("the engine is closed");
        }
        audited.join().ifPresent(broken -> {
            throw new IllegalStateException(broken.getMessage(), broken);
        });
    }

    Schedule schedule() {
        return schedule;
    }

    private boolean onSchedulerThread() {
        return Thread.currentThread().equals(thread);
    }

    /**
     * {@inheritDoc} Waits up to ten seconds for those who still write or read lent blocks; later accesses to them fail
     * with {@link IllegalStateException}. Called on the scheduler thread it does not wait.
     */
    @Override
    public void close() {
        inbox.stopSubmissions();
        inbox.post(
                () -> shutDown(new EngineException(Kind.UNAVAILABLE, "the engine shuts down; retry on another node")));
        if (onSchedulerThread()) {
            return;
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // The scheduler thread.

    private void run() {
        Niceness.giveWay();
        try {
            while (!over()) {
                try {
                    turn(waitNanos());
                } catch (RuntimeException | Error defect) {
                    if (schedule.isShutDown()) {
                        throw defect;
                    }
                    log.error("the scheduler failed; every sequence ends", defect);
                    inbox.stopSubmissions();
                    shutDown(new EngineException(Kind.INTERNAL, "the engine's scheduler failed: " + defect, defect));
                }
            }
        } finally {
            end();
        }
    }

    /** Does what was asked, then one step; waits up to {@code waitNanos} for something to do. */
    void turn(long waitNanos) {
        for (Runnable command : inbox.take(waitNanos)) {
            command.run();
        }
        schedule.admit();
        if (schedule.hasWork()) {
            step.run();
        }
        schedule.broadcast.flush();
        counts = schedule.meter.counts(schedule);
    }

    private long waitNanos() {
        if (schedule.hasWork()) {
            return 0;
        }
        return schedule.isShutDown() ? giveUpNanos - System.nanoTime() : Long.MAX_VALUE;
    }

    private void shutDown(EngineException cause) {
        if (!schedule.isShutDown()) {
            giveUpNanos = System.nanoTime() + patience.toNanos();
            schedule.shutDown(cause);
        }
    }

    private boolean over() {
        return schedule.isShutDown() && (schedule.held.isEmpty() || giveUpNanos - System.nanoTime() <= 0);
    }

    private void end() {
        inbox.close().forEach(Runnable::run);
        if (!schedule.held.isEmpty()) {
            log.error("closing while blocks are still lent to {}", schedule.cache.holders());
        }
        schedule.runner.close();
    }
}

package io.baton.transfer;

import io.baton.transfer.ProgressReport.Phase;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Sends one sequence's blocks while they are being computed. The computing thread announces ({@link #queued},
 * {@link #started}, {@link #layerReady}, {@link #tokensDone}, {@link #finished}, {@link #failed}: one thread at a
 * time), the call's listener tells what the peer did ({@link #granted}, {@link #acknowledged}, {@link #ready},
 * {@link #cancelled}: any thread); both only leave a note. The work itself, copies included, is done by {@link #work}
 * on the sender executor, for one stream never twice at once, and as long as the transport takes bytes.
 */
public final class KvSender {

    /** Well below the 250 ms that the wire promises, so that a late timer keeps the promise too. */
    static final Duration PROGRESS_INTERVAL = Duration.ofMillis(150);

    /**
     * Bytes the transport may hold for this stream before it counts as busy: the next frame is ready when one leaves.
     */
    public static final int ON_READY_BYTES = 1 << 20;

    /** After so many frames in a row the other streams of the executor get their turn. */
    private static final int FRAMES_PER_TURN = 8;

    private final ServerCall<?, OutgoingFrame> call;
    private final SendPlan plan;
    private final TransferShape shape;
    private final Executor executor;
    private final Timing timing;
    private final SendListener listener;
    private final ReadyUnits readyUnits;
    private final AtomicInteger signals = new AtomicInteger();
    private volatile @Nullable ScheduledFuture<?> ticker;

    // Notes, written by the announcing thread or the call's listener.
    private volatile Phase phase = Phase.QUEUED;
    private volatile int queuePosition;
    private volatile int cachedTokens;
    private volatile int tokensDone;
    private volatile @Nullable UnitSource source;
    private volatile @Nullable Result result;
    private volatile @Nullable Refusal refusal;
    private volatile boolean granted;
    private volatile boolean acknowledged;
    private volatile boolean cancelled;

    // Confined to work().
    private final FrameStream frames;
    private int nextReady;
    private boolean headersSent;
    private boolean resultSent;
    private boolean endSent;
    private boolean released;
    private volatile boolean over;
    private @Nullable Phase toldPhase;
    private long toldNanos;
    private final PeerPatience patience;

    private record Result(float[] hidden, SenderTimes times) {}

    private record Refusal(Status status, Metadata trailers) {}

    private KvSender(
            ServerCall<?, OutgoingFrame> call, SendPlan plan, Executor executor, Timing timing, SendListener listener) {
        this.call = call;
        this.plan = plan;
        this.shape = plan.shape();
        this.executor = executor;
        this.timing = timing;
        this.listener = listener;
        this.readyUnits = new ReadyUnits(shape, plan.held());
        this.frames = new FrameStream(call, plan);
        this.granted = plan.kind() == SendPlan.Kind.FETCH;
        this.patience = new PeerPatience(timing.nanoTime().getAsLong());
    }

    /**
     * Opens the stream with a PROGRESS frame.
     *
     * @param call nothing was sent on yet; from here on only this sender sends on it and closes it
     * @param executor a few threads shared by all streams of a node; must outlive them
     */
    public static KvSender open(
            ServerCall<?, OutgoingFrame> call, SendPlan plan, Executor executor, Timing timing, SendListener listener) {
        KvSender sender = new KvSender(call, plan, executor, timing, listener);
        long interval = PROGRESS_INTERVAL.toNanos();
        sender.ticker = timing.scheduler().scheduleAtFixedRate(sender::tick, interval, interval, TimeUnit.NANOSECONDS);
        sender.signal();
        return sender;
    }

    /** Still waiting behind {@code requestsAhead} others. */
    public void queued(int requestsAhead) {
        queuePosition = requestsAhead;
    }

    /** Computation starts; the first {@code cachedBlocks} blocks are final in every layer. */
    public void started(int cachedBlocks, UnitSource units) {
        cachedTokens = cachedBlocks * shape.blockTokens();
        tokensDone = cachedTokens;
        source = units;
        readyUnits.prefix(cachedBlocks);
        phase = Phase.COMPUTING;
        signal();
    }

    /** In {@code layer}, tokens {@code [firstToken, endToken)} are final. Each token once per layer, in any order. */
    public void layerReady(int layer, int firstToken, int endToken) {
        readyUnits.tokens(layer, firstToken, endToken);
        signal();
    }

    public void tokensDone(int tokens) {
        tokensDone = tokens;
    }

    /** Everything was announced. {@code hidden} is the result, empty for a fetch. */
    public void finished(float[] hidden, SenderTimes times) {
        tokensDone = shape.tokens();
        phase = Phase.SENDING;
        result = new Result(hidden.clone(), times);
        signal();
    }

    /** Ends the stream with {@code status}; what is on its way still arrives. */
    public void failed(Status status, Metadata trailers) {
        refusal = new Refusal(status, trailers);
        signal();
    }

    /** The receiver holds blocks. */
    public void granted() {
        granted = true;
        signal();
    }

    /** The receiver verified everything. */
    public void acknowledged() {
        acknowledged = true;
        signal();
    }

    /** The transport takes bytes again. */
    public void ready() {
        signal();
    }

    /** The call is over on the peer's side. */
    public void cancelled() {
        cancelled = true;
        signal();
    }

    private void tick() {
        if (over) {
            stopTicking();
        } else {
            signal();
        }
    }

    private void stopTicking() {
        ScheduledFuture<?> ticking = ticker;
        if (ticking != null) {
            ticking.cancel(false);
        }
    }

    private void signal() {
        if (!over && signals.getAndIncrement() == 0) {
            executor.execute(this::work);
        }
    }

    private void work() {
        int seen = signals.get();
        boolean more = false;
        try {
            more = !over && step();
        } catch (RuntimeException e) { // a source that cannot be read; nothing else in here throws
            end(Status.INTERNAL.withDescription(plan.handoff() + ": " + e).withCause(e), new Metadata());
        }
        if (signals.addAndGet(more ? 1 - seen : -seen) != 0 && !over) {
            executor.execute(this::work);
        }
    }

    /** Does what the notes allow; true when there is more to do at once. */
    private boolean step() {
        Refusal refused = refusal;
        if (cancelled || call.isCancelled()) {
            end(Status.CANCELLED.withDescription("the peer ended the call"), new Metadata());
            return false;
        }
        if (refused != null) {
            end(refused.status(), refused.trailers());
            return false;
        }
        if (acknowledged && endSent) {
            end(Status.OK, new Metadata());
            return false;
        }
        if (!headersSent) {
            headersSent = true;
            call.setOnReadyThreshold(ON_READY_BYTES);
            call.sendHeaders(new Metadata());
        }
        long now = timing.nanoTime().getAsLong();
        if (call.isReady() && !endSent) {
            patience.moved(now);
        }
        if (granted || toldPhase != Phase.SENDING) {
            patience.needsNoGrant(now);
        }
        Optional<String> overdue = patience.overdue(now, endSent);
        if (overdue.isPresent()) {
            reset(overdue.get());
            return false;
        }
        return sendFrames(now);
    }

    private boolean sendFrames(long now) {
        if (!endSent && call.isReady() && (phase != toldPhase || now - toldNanos >= PROGRESS_INTERVAL.toNanos() / 2)) {
            sendProgress(now);
        }
        for (int i = 0; i < FRAMES_PER_TURN && granted && toldPhase != null && call.isReady(); i++) {
            UnitSource units = source;
            Result finished = result; // before the count: all units are announced before the result
            if (units != null && nextReady < readyUnits.count()) {
                sendUnits(units);
            } else if (finished == null || endSent) {
                return false;
            } else if (plan.kind() == SendPlan.Kind.PREFILL && !resultSent) {
                frames.result(finished.hidden());
                resultSent = true;
                patience.moved(timing.nanoTime().getAsLong());
            } else {
                sendEnd(finished);
            }
        }
        return granted && call.isReady() && !over;
    }

    private void sendProgress(long now) {
        Phase told = phase;
        frames.progress(
                new ProgressReport(told, queuePosition, tokensDone, shape.tokens(), cachedTokens, plan.wireVersion()));
        toldPhase = told;
        toldNanos = now;
        patience.moved(timing.nanoTime().getAsLong());
    }

    /** The next units that follow each other in one layer, as many as a frame takes. */
    private void sendUnits(UnitSource units) {
        int unit = readyUnits.unit(nextReady);
        int layer = unit / shape.blocks();
        int inLayer = shape.unitIndex(layer + 1, 0) - unit;
        int most = Math.min(Math.min(shape.blocksPerFrame(), readyUnits.count() - nextReady), inLayer);
        int count = 1;
        while (count < most && readyUnits.unit(nextReady + count) == unit + count) {
            count++;
        }
        frames.units(units, layer, unit % shape.blocks(), count);
        nextReady += count;
        patience.moved(timing.nanoTime().getAsLong());
    }

    private void sendEnd(Result finished) {
        if (plan.kind() == SendPlan.Kind.PREFILL && nextReady != readyUnits.expected()) {
            throw new IllegalStateException(
                    "finished after %d units, expected %d".formatted(nextReady, readyUnits.expected()));
        }
        frames.end(finished.times(), cachedTokens);
        endSent = true;
        patience.moved(timing.nanoTime().getAsLong());
        release();
        if (plan.kind() == SendPlan.Kind.FETCH) {
            end(Status.OK, new Metadata());
        }
    }

    private void release() {
        if (!released) {
            released = true;
            listener.released();
        }
    }

    private void reset(String why) {
        Status status = Status.ABORTED.withDescription(plan.handoff() + ": " + why);
        frames.reset(status.asRuntimeException(FailureReason.STALLED.trailers()));
        finish(status);
    }

    private void end(Status status, Metadata trailers) {
        try {
            if (!cancelled && !call.isCancelled()) {
                call.close(status, trailers);
            }
        } finally {
            finish(status);
        }
    }

    private void finish(Status status) {
        over = true;
        stopTicking();
        release();
        listener.ended(status, frames.units(), frames.units() * shape.unitBytes());
    }
}

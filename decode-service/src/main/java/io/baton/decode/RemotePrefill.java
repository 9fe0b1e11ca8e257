package io.baton.decode;

import io.baton.engine.Engine;
import io.baton.engine.FillLease;
import io.baton.engine.GenerationHandle;
import io.baton.kv.BlockChain;
import io.baton.kv.BlockHash;
import io.baton.kv.SequenceRoot;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.PrefillStart;
import io.baton.proto.v1.Reason;
import io.baton.routing.PrefillCandidate;
import io.baton.serving.Fingerprints;
import io.baton.transfer.FailureReason;
import io.baton.transfer.Handoff;
import io.baton.transfer.ReceiveOutcome;
import io.baton.transfer.ReceivePlan;
import io.baton.transfer.TransferShape;
import io.baton.transfer.VerifiedBlocks;
import io.baton.transfer.WireVersions;
import io.grpc.Context;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Gets one sequence's KV from prefill nodes: the ranked ones in turn, each from what the ones before have brought,
 * until one delivers, the policy forbids another, or what is left of the deadline is needed to prefill here. Runs on
 * the request's own thread, in its gRPC context; {@link #abort} comes from any.
 *
 * <p>Fencing: the lease on the blocks stays open from the first grant until the last attempt's call has closed,
 * whatever happened to the sequence meanwhile, because until then a frame may still be written.
 */
final class RemotePrefill {

    /** How it ended. */
    sealed interface End {

        /** Every unit is here; the sequence may be activated with the lease. */
        record Delivered(FillLease lease, ReceiveOutcome.Complete complete) implements End {}

        /** Nobody delivered; whole blocks that came are kept. The blocks were given up. */
        record Undelivered(Reason reason, String detail) implements End {}

        /** The request itself is over. */
        record Aborted() implements End {}
    }

    private static final String RESERVE_NEEDED = "what is left of the deadline is needed for local prefill";
    private static final Duration FOREVER = Duration.ofDays(1);
    private static final Duration PROGRESS_INTERVAL = Duration.ofMillis(250);

    private final Engine engine;
    private final KvStreams streams;
    private final DecodeOrder order;
    private final SequenceRoot root;
    private final GenerationHandle sequence;
    private final RouteRecord route;
    private final int attempts;
    private final long handoffId;
    private @Nullable CompletableFuture<FillLease> blocks; // guarded by this
    private volatile @Nullable PrefillAttempt current;
    private volatile boolean aborted;

    /**
     * @param attempts nodes asked at most
     * @param ids draws the handoff's name
     */
    RemotePrefill(
            Engine engine,
            KvStreams streams,
            DecodeOrder order,
            SequenceRoot root,
            GenerationHandle sequence,
            RouteRecord route,
            int attempts,
            LongSupplier ids) {
        this.engine = engine;
        this.streams = streams;
        this.order = order;
        this.root = root;
        this.sequence = sequence;
        this.route = route;
        this.attempts = attempts;
        this.handoffId = ids.getAsLong();
    }

    /**
     * Asks {@code candidates} in turn; blocks until the end is known.
     *
     * @param cachedTokens of the sequence, in this node's own cache; whole blocks
     * @param reserve of the deadline, to be left for local prefill
     */
    End run(List<PrefillCandidate> candidates, int cachedTokens, Duration reserve) {
        int[] tokens = order.sequence();
        int blockTokens = engine.options().blockTokens();
        TransferShape shape = TransferShape.of(engine.shape().layers(), engine.unitBytes(), blockTokens, tokens.length);
        List<BlockHash> hashes = BlockChain.of(root, tokens, blockTokens);
        VerifiedBlocks held = VerifiedBlocks.whole(cachedTokens / blockTokens, shape.layers());
        Reason reason = Reason.REASON_NO_PREFILL_NODE;
        String detail = "no prefill node that was ranked is a member this node knows";
        int asked = 0;
        for (PrefillCandidate candidate : candidates) {
            if (asked == attempts || over()) {
                break;
            }
            if (!streams.members().contains(candidate.node())) {
                route.event(reason, candidate.node(), "not a member this decode node knows; see --prefill-nodes");
                continue;
            }
            Duration allowed = timeLeft().minus(reserve);
            if (!allowed.isPositive()) {
                reason = Reason.REASON_DEADLINE_RESERVE;
                detail = RESERVE_NEEDED;
                route.event(reason, candidate.node(), detail);
                break;
            }
            ReceivePlan plan = new ReceivePlan(
                    new Handoff(handoffId, ++asked),
                    shape,
                    hashes,
                    held,
                    engine.shape().dim(),
                    predictedGap(shape),
                    WireVersions.SUPPORTED);
            ReceiveOutcome outcome = attempt(candidate, plan, tokens, allowed);
            if (outcome instanceof ReceiveOutcome.Complete complete) {
                route.received(complete.received());
                route.prefilledOn(candidate.node(), complete.cachedTokens());
                streams.rate().observe(complete);
                return new End.Delivered(lease(), complete);
            }
            ReceiveOutcome.Failed failed = (ReceiveOutcome.Failed) outcome;
            route.received(failed.received());
            held = failed.verified();
            keepWhole(Math.min(held.everyLayer(), shape.wholeBlocks()));
            boolean reserved = failed.reason() == FailureReason.CANCELLED && !over();
            reason = reserved ? Reason.REASON_DEADLINE_RESERVE : RouteRecord.reasonOf(failed.reason());
            detail = candidate.node() + ": " + failed.detail();
            route.event(reason, candidate.node(), failed.detail());
            if (reserved || order.policy() == FallbackPolicy.FALLBACK_POLICY_FAIL) {
                break;
            }
        }
        giveUpBlocks();
        return over() ? new End.Aborted() : new End.Undelivered(reason, detail);
    }

    private boolean over() {
        return aborted || Context.current().isCancelled();
    }

    /** The sequence has ended: the attempt that runs is cancelled and none follows. */
    void abort() {
        aborted = true;
        PrefillAttempt running = current;
        if (running != null) {
            running.cancel("the sequence has ended");
        }
    }

    private ReceiveOutcome attempt(PrefillCandidate candidate, ReceivePlan plan, int[] tokens, Duration allowed) {
        PrefillStart.Builder start = PrefillStart.newBuilder()
                .setContext(order.context())
                .setFingerprint(Fingerprints.toProto(engine.fingerprint()));
        for (int token : tokens) {
            start.addTokenIds(token);
        }
        KvStreams.Way way = streams.to(candidate.node());
        PrefillAttempt attempt = PrefillAttempt.open(this::takeBlocks, listener -> way.receive(start, plan, listener));
        current = attempt;
        if (aborted) {
            attempt.cancel("the sequence has ended"); // it ended before it could be told
        }
        ReceiveOutcome outcome = attempt.await(allowed);
        if (outcome == null) {
            attempt.cancel(RESERVE_NEEDED);
            outcome = attempt.await();
        }
        if (outcome instanceof ReceiveOutcome.Failed failed && failed.reason() == FailureReason.STALLED) {
            way.suspect();
        }
        return outcome;
    }

    private synchronized CompletableFuture<FillLease> takeBlocks() {
        CompletableFuture<FillLease> taken = blocks;
        if (taken == null) {
            taken = sequence.takeBlocks();
            blocks = taken;
        }
        return taken;
    }

    private FillLease lease() {
        return takeBlocks().join();
    }

    private void keepWhole(int wholeBlocks) {
        CompletableFuture<FillLease> taken = taken();
        if (taken != null) {
            var _ = taken.thenAccept(lease -> lease.verified(wholeBlocks));
        }
    }

    /** No call can write any more. Waits for the scheduler if it is still taking the blocks. */
    private void giveUpBlocks() {
        CompletableFuture<FillLease> taken = taken();
        if (taken != null) {
            taken.handle((lease, refused) -> {
                        if (refused == null) {
                            lease.close();
                        }
                        return refused == null;
                    })
                    .join();
        }
    }

    private synchronized @Nullable CompletableFuture<FillLease> taken() {
        return blocks;
    }

    private static Duration timeLeft() {
        Deadline deadline = Context.current().getDeadline();
        return deadline == null ? FOREVER : Duration.ofNanos(deadline.timeRemaining(TimeUnit.NANOSECONDS));
    }

    /** The sender reports at least this often; on a slow way a report can stand behind one whole frame. */
    private Duration predictedGap(TransferShape shape) {
        double rate = streams.rate().bytesPerSecond();
        if (rate <= 0) {
            return PROGRESS_INTERVAL;
        }
        long frame = Math.min(
                Math.max(TransferShape.FRAME_PAYLOAD_BYTES, shape.unitBytes()), shape.unitBytes() * shape.blocks());
        return PROGRESS_INTERVAL.plus(Duration.ofNanos((long) (frame / rate * 1e9)));
    }
}

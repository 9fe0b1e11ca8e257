package io.baton.decode;

import io.baton.engine.FillLease;
import io.baton.transfer.KvReceiver;
import io.baton.transfer.ProgressReport;
import io.baton.transfer.ReceiveListener;
import io.baton.transfer.ReceiveOutcome;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One prefill node asked once. Blocks are taken when the node reports that it computes, so that a queue elsewhere does
 * not hold memory here; the outcome is known when nothing can be written into them any more. Any thread.
 */
final class PrefillAttempt implements ReceiveListener {

    private final Supplier<CompletableFuture<FillLease>> blocks;
    private final CompletableFuture<KvReceiver> opened = new CompletableFuture<>();
    private final CompletableFuture<ReceiveOutcome> outcome = new CompletableFuture<>();
    private boolean granted; // the call's executor alone
    private volatile @Nullable FillLease lease;

    private PrefillAttempt(Supplier<CompletableFuture<FillLease>> blocks) {
        this.blocks = blocks;
    }

    /**
     * Opens the stream.
     *
     * @param blocks takes the sequence's blocks, or gives again those taken for an earlier attempt
     * @param opener opens a receiver that tells the given listener
     */
    static PrefillAttempt open(
            Supplier<CompletableFuture<FillLease>> blocks, Function<ReceiveListener, KvReceiver> opener) {
        PrefillAttempt attempt = new PrefillAttempt(blocks);
        attempt.opened.complete(opener.apply(attempt));
        return attempt;
    }

    @Override
    public void progress(ProgressReport report) {
        if (granted || report.phase() == ProgressReport.Phase.QUEUED) {
            return;
        }
        granted = true;
        var _ = blocks.get().whenComplete((taken, refused) -> {
            if (refused == null) {
                lease = taken;
                var _ = opened.thenAccept(receiver -> receiver.grant(taken.units()::unit));
            } else {
                cancel("the sequence has ended");
            }
        });
    }

    @Override
    public void verified(int wholeBlocks) {
        FillLease open = lease;
        if (open != null) {
            open.verified(wholeBlocks);
        }
    }

    @Override
    public void ended(ReceiveOutcome ended) {
        outcome.complete(ended);
    }

    /** Gives up; the outcome follows. */
    void cancel(String why) {
        var _ = opened.thenAccept(receiver -> receiver.cancel(why));
    }

    /** Waits for the outcome; empty-handed after {@code limit}, the attempt goes on then. */
    @Nullable
    ReceiveOutcome await(Duration limit) {
        try {
            return outcome.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return null;
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the thread of a request", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("an outcome is never exceptional", e);
        }
    }

    /** Waits for the outcome, however long it takes: a cancelled attempt has one soon. */
    ReceiveOutcome await() {
        return outcome.join();
    }
}

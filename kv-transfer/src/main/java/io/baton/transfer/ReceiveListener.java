package io.baton.transfer;

/** What happens to a transfer on the receiving side. Called on the call's executor, one at a time; must not throw. */
public interface ReceiveListener {

    /** The sender is alive. The first report beyond QUEUED is the time to {@link KvReceiver#grant}. */
    void progress(ProgressReport report);

    /** Blocks {@code [0, wholeBlocks)}, all of them whole, are verified in every layer. Called when it grows. */
    void verified(int wholeBlocks);

    /**
     * Exactly once: with {@link ReceiveOutcome.Complete} as soon as everything is verified, with
     * {@link ReceiveOutcome.Failed} when the call has closed. No write into the target follows.
     */
    void ended(ReceiveOutcome outcome);
}

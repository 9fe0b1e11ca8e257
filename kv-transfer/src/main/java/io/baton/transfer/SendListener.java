package io.baton.transfer;

import io.grpc.Status;

/** What happens to a transfer on the sending side. Called on the sender executor, each exactly once. */
public interface SendListener {

    /** No unit is read any more: the hold on the blocks may end. Before {@link #ended}. */
    void released();

    /** The stream is over. {@code status} is OK when the peer acknowledged, or needed not to. */
    void ended(Status status, int units, long bytes);
}

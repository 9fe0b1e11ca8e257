package io.baton.transfer;

import java.time.Duration;

/** What a sender measured: waiting in its queue, fetching a cached prefix, and computing. */
public record SenderTimes(Duration queued, Duration prefixFetch, Duration compute) {

    public static final SenderTimes NONE = new SenderTimes(Duration.ZERO, Duration.ZERO, Duration.ZERO);
}

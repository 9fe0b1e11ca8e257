package io.baton.engine;

import java.time.Duration;

/** What one prefill took: waiting for its first chunk, and running its chunks. */
public record PrefillTimes(Duration queued, Duration compute) {}

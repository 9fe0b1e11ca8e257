package io.baton.engine;

import java.time.Duration;

/**
 * What one prefill took, one after the other.
 *
 * @param queued waiting for its first chunk, the next one left out
 * @param prefixLookup finding its cached prefix and taking hold of its blocks
 * @param compute from its first chunk to its last
 */
public record PrefillTimes(Duration queued, Duration prefixLookup, Duration compute) {}

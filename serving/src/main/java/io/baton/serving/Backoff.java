package io.baton.serving;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Exponential waiting times with jitter: the n-th lies between half and all of {@code min(limit, first · 2ⁿ)}, so that
 * many clients of one failed peer do not come back at once.
 */
public record Backoff(Duration first, Duration limit) {

    public Backoff {
        if (first.isNegative() || first.isZero() || limit.compareTo(first) < 0) {
            throw new IllegalArgumentException("expected 0 < first <= limit, found " + first + " and " + limit);
        }
    }

    /** @param failures in a row before this wait, from 0 */
    public Duration wait(int failures, RandomGenerator random) {
        double nanos = Math.min((double) limit.toNanos(), first.toNanos() * Math.pow(2, Math.min(failures, 62)));
        return Duration.ofNanos((long) (nanos * (0.5 + random.nextDouble() / 2)));
    }
}

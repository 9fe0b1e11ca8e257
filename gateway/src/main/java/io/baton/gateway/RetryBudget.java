package io.baton.gateway;

/**
 * How many failures may be tried again: a share of the requests, so that a dying tier is not buried under retries. A
 * burst is allowed, which also lets a quiet gateway migrate its few sequences. Thread-safe.
 */
final class RetryBudget {

    private final double share;
    private final double burst;
    private double left;

    /**
     * @param share retries per request, e.g. 0.1
     * @param burst retries saved up at most; all are there at the start
     */
    RetryBudget(double share, double burst) {
        this.share = share;
        this.burst = burst;
        this.left = burst;
    }

    synchronized void requestCame() {
        left = Math.min(burst, left + share);
    }

    synchronized boolean tryRetry() {
        if (left < 1) {
            return false;
        }
        left--;
        return true;
    }
}

package io.baton.gateway;

import io.baton.serving.Statuses;
import io.grpc.Status;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** Counts running requests, in all and by tenant, and refuses beyond the bounds. Thread-safe. */
final class InFlight {

    private static final Duration COME_BACK = Duration.ofSeconds(1);

    private final int max;
    private final int maxPerTenant;
    private final Map<String, Integer> byTenant = new HashMap<>(); // tenants with running requests only
    private int running;
    private boolean draining;

    InFlight(int max, int maxPerTenant) {
        this.max = max;
        this.maxPerTenant = maxPerTenant;
    }

    synchronized void enter(Tenant tenant) {
        if (draining) {
            throw Status.UNAVAILABLE
                    .withDescription("this gateway is draining; ask another")
                    .asRuntimeException();
        }
        int ofTenant = byTenant.getOrDefault(tenant.name(), 0);
        if (running >= max || ofTenant >= maxPerTenant) {
            throw Statuses.retryAfter(
                    Status.Code.RESOURCE_EXHAUSTED,
                    "the gateway serves %d requests (at most %d), %d of this tenant (at most %d); come back later"
                            .formatted(running, max, ofTenant, maxPerTenant),
                    COME_BACK);
        }
        running++;
        byTenant.put(tenant.name(), ofTenant + 1);
    }

    synchronized void leave(Tenant tenant) {
        running--;
        byTenant.computeIfPresent(tenant.name(), (_, count) -> count > 1 ? count - 1 : null);
        notifyAll();
    }

    synchronized int running() {
        return running;
    }

    /** Refuses new requests from now on. */
    synchronized void drain() {
        draining = true;
    }

    /** Waits until nothing runs any more; false when the time is over first. */
    synchronized boolean awaitIdle(Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        while (running > 0) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            wait(left / 1_000_000, (int) (left % 1_000_000));
        }
        return true;
    }
}

package io.baton.e2e.fault;

import io.baton.client.Fallback;
import io.baton.e2e.fault.FaultProxy.Direction;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * One row: what happens to the way between two tiers while a request is on it, and which fallbacks the response may
 * name. The answer is always the undisturbed one.
 *
 * @param afterBytes on that way since the request began
 * @param policy what the request allows when prefill fails
 * @param noticed until the request goes on elsewhere, at most
 * @param reasons one of these in the response's route; none means that nothing is noticed but time
 */
record HopFault(
        Hop hop,
        Direction direction,
        long afterBytes,
        Fault fault,
        Fallback policy,
        Duration noticed,
        List<String> reasons) {

    /** A way between two tiers. */
    enum Hop {
        /** Tokens, and the gateway's watch of the node. */
        GATEWAY_DECODE("gateway and decode node"),
        /** KV. */
        DECODE_PREFILL("decode and prefill node");

        private final String words;

        Hop(String words) {
            this.words = words;
        }

        /** The ways that a request may go. */
        List<FaultProxy> ways(ClusterUnderTest cluster) {
            return switch (this) {
                case GATEWAY_DECODE -> List.of(cluster.decodeProxy(0), cluster.decodeProxy(1));
                case DECODE_PREFILL -> List.of(cluster.prefillProxy(0), cluster.prefillProxy(1));
            };
        }
    }

    HopFault(
            Hop hop,
            Direction direction,
            long afterBytes,
            Fault fault,
            Fallback policy,
            Duration noticed,
            String... reasons) {
        this(hop, direction, afterBytes, fault, policy, noticed, List.of(reasons));
    }

    HopFault {
        reasons = List.copyOf(reasons);
    }

    /** Whether it is met by whichever node is asked first alone, or by each, until one row is over. */
    boolean onEveryWay() {
        boolean noOtherNode = hop == Hop.DECODE_PREFILL && policy == Fallback.LOCAL_PREFILL;
        return noOtherNode || fault instanceof Fault.Throttle;
    }

    /** The row's cells in {@link FaultTable}. */
    FaultTable.Row inWords() {
        String happens = switch (fault) {
            case Fault.Cut _ -> "is cut";
            case Fault.Stall _ -> "carries nothing more in one direction";
            case Fault.HalfOpen _ -> "swallows everything";
            case Fault.Corrupt _ -> "flips a bit";
            case Fault.Throttle _ -> "is slow";
        };
        String by = hop == Hop.GATEWAY_DECODE
                ? "continued by another decode node"
                : onEveryWay() ? "prefilled by the decode node" : "by the next prefill node";
        return new FaultTable.Row(
                "the way between %s %s".formatted(hop.words, happens),
                direction == Direction.FROM_SERVER ? "on the way back" : "on the way there",
                "`" + policy + "`",
                reasons.isEmpty() ? "the answer, later" : "the answer, " + by,
                reasons.isEmpty() ? "–" : FaultTable.seconds(noticed),
                reasons);
    }

    @Override
    public String toString() {
        return "%s, %s after %d bytes, %s, %s"
                .formatted(hop, direction, afterBytes, fault, policy)
                .toLowerCase(Locale.ROOT);
    }
}

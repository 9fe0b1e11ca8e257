package io.baton.routing;

import java.util.List;
import java.util.OptionalLong;

/**
 * The decode node's last word on where a prompt is prefilled: it knows its own cache and queue, where the gateway only
 * believed something about them. Same cost classes as the router. Immutable; any thread.
 */
public final class PrefillChoice {

    private final CostModel costs;

    public PrefillChoice(CostModel costs) {
        this.costs = costs;
    }

    /**
     * What the decode node knows about a sequence it has admitted.
     *
     * @param tokens whose KV is needed
     * @param cachedTokens of them, found in its own cache or already verified from an earlier attempt
     * @param load its own
     * @param localAllowed whether the request's policy lets remote prefill become local
     * @param timeLeftMicros until the request's deadline
     */
    public record Situation(
            PrefillPlace wanted,
            int tokens,
            int cachedTokens,
            NodeLoad load,
            boolean localAllowed,
            OptionalLong timeLeftMicros) {}

    /** Where to prefill, and why. */
    public sealed interface Place {

        RouteReason reason();

        /** @param estimatedMicros queue and compute */
        record Local(RouteReason reason, long estimatedMicros) implements Place {}

        /**
         * @param candidates to try in this order
         * @param reserveMicros to be kept free of the deadline for local prefill; 0 when that is not allowed
         */
        record Remote(RouteReason reason, List<PrefillCandidate> candidates, long reserveMicros) implements Place {}

        /** Remote prefill is a must and nobody is left to ask. */
        record Nowhere(RouteReason reason) implements Place {}
    }

    /** @param candidates prefill nodes not tried yet, best first, with the gateway's estimates */
    public Place decide(Situation situation, List<PrefillCandidate> candidates) {
        int missing = situation.tokens() - situation.cachedTokens();
        double local = costs.queueMicros(situation.load(), 0, Pending.NONE)
                + costs.localComputeMicros(situation.load(), missing);
        if (situation.wanted() == PrefillPlace.LOCAL) {
            return new Place.Local(RouteReason.REQUESTED, Math.round(local));
        }
        boolean remoteIsMust = situation.wanted() == PrefillPlace.REMOTE;
        boolean mayGoLocal = !remoteIsMust || situation.localAllowed();
        if (candidates.isEmpty()) {
            return mayGoLocal
                    ? new Place.Local(RouteReason.NO_PREFILL_NODE, Math.round(local))
                    : new Place.Nowhere(RouteReason.NO_PREFILL_NODE);
        }
        PrefillCandidate first = candidates.getFirst();
        if (mayGoLocal && situation.timeLeftMicros().isPresent()) {
            long left = situation.timeLeftMicros().getAsLong();
            // If the remote attempt fails at its very end, local prefill must still be possible.
            if (local <= left && first.estimatedMicros() + local > left) {
                return new Place.Local(RouteReason.DEADLINE_RESERVE, Math.round(local));
            }
        }
        long reserve = mayGoLocal ? Math.round(local) : 0;
        if (remoteIsMust) {
            return new Place.Remote(RouteReason.REQUESTED, List.copyOf(candidates), reserve);
        }
        int usable = (situation.tokens() - 1)
                / costs.geometry().blockTokens()
                * costs.geometry().blockTokens();
        if (usable > 0 && situation.cachedTokens() >= usable) {
            return new Place.Local(RouteReason.CACHED, Math.round(local));
        }
        double localScore = local + costs.disturbanceMicros(situation.load(), missing);
        return first.estimatedMicros() < localScore
                ? new Place.Remote(RouteReason.COST_REMOTE, List.copyOf(candidates), reserve)
                : new Place.Local(RouteReason.COST_LOCAL, Math.round(local));
    }
}

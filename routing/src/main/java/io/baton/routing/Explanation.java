package io.baton.routing;

import java.util.List;
import java.util.Optional;

/**
 * Why a router decides as it does: what {@code Explain} returns and the route's span carries.
 *
 * @param candidates every pair that was compared, best first
 */
public record Explanation(RouteDecision decision, List<Candidate> candidates) {

    public Explanation {
        candidates = List.copyOf(candidates);
    }

    /**
     * A way that was looked at.
     *
     * @param prefillNode empty for local prefill
     * @param itlMicros estimated time between tokens
     * @param disturbanceMicros weighed cost to the sequences that run there
     * @param scoreMicros what was compared: time to the answer's end, disturbance and tie-breaking noise
     */
    public record Candidate(
            String decodeNode,
            Optional<String> prefillNode,
            int decodeCachedTokens,
            int prefillCachedTokens,
            CostParts costs,
            double itlMicros,
            double disturbanceMicros,
            double scoreMicros) {}
}

package io.baton.routing;

import java.time.Duration;

/**
 * When silence means something. A heartbeat counts as missed half an interval after it was due.
 *
 * @param heartbeat interval at which a node speaks at least
 * @param suspectAfter missed heartbeats that make a node suspect
 * @param goneAfter missed heartbeats that make it gone
 */
public record Liveness(Duration heartbeat, int suspectAfter, int goneAfter) {

    public static final Liveness DEFAULT = new Liveness(Duration.ofSeconds(1), 3, 10);

    public Liveness {
        if (heartbeat.toMillis() < 1) {
            throw new IllegalArgumentException("heartbeat must be at least 1 ms, found " + heartbeat);
        }
        if (suspectAfter < 1 || goneAfter <= suspectAfter) {
            throw new IllegalArgumentException(
                    "missed heartbeats must satisfy 1 <= suspect < gone, found suspect=%d, gone=%d"
                            .formatted(suspectAfter, goneAfter));
        }
    }

    NodeState state(long silentMillis) {
        if (silentMillis >= limitMillis(goneAfter)) {
            return NodeState.GONE;
        }
        return silentMillis >= limitMillis(suspectAfter) ? NodeState.SUSPECT : NodeState.KNOWN;
    }

    private long limitMillis(int missed) {
        return missed * heartbeat.toMillis() + heartbeat.toMillis() / 2;
    }
}

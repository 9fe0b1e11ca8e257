package io.baton.serving;

import java.util.Locale;

/** Who a peer's certificate says it is: the first label of its DNS name, {@code <role>.<release>.baton}. */
public enum PeerRole {
    GATEWAY,
    DECODE,
    PREFILL;

    /** As it stands in certificates. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}

package io.baton.transfer;

import java.util.OptionalInt;

/**
 * The wire versions a node reads and writes. Two neighbouring releases interoperate: each supports its own version and
 * the one before it.
 */
public record WireVersions(int oldest, int newest) {

    /** What this build speaks. Version 1 has no predecessor. */
    public static final WireVersions SUPPORTED = new WireVersions(1, 1);

    public WireVersions {
        if (oldest < 1 || newest < oldest) {
            throw new IllegalArgumentException(
                    "wire versions must be a range from 1 on, found %d to %d".formatted(oldest, newest));
        }
    }

    /** The highest version both know. */
    public OptionalInt highestCommon(WireVersions other) {
        int version = Math.min(newest, other.newest);
        return version >= Math.max(oldest, other.oldest) ? OptionalInt.of(version) : OptionalInt.empty();
    }

    boolean contains(int version) {
        return version >= oldest && version <= newest;
    }

    @Override
    public String toString() {
        return oldest == newest ? Integer.toString(oldest) : oldest + " to " + newest;
    }
}

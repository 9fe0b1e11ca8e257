package io.baton.e2e.fault;

import java.time.Duration;

/** What a {@link FaultProxy} does to the bytes of one direction once the armed offset is reached. */
public sealed interface Fault {

    /** Closes both sides at once, with a reset where the platform gives one. */
    record Cut() implements Fault {}

    /** Forwards nothing more in this direction and reads nothing more either, so that the sender meets backpressure. */
    record Stall() implements Fault {}

    /**
     * Accepts and drops everything in both directions and closes nothing: a peer whose host vanished, or a network that
     * eats packets.
     */
    record HalfOpen() implements Fault {}

    /** Flips bits of the one byte at the offset; everything after it passes untouched. */
    record Corrupt(int mask) implements Fault {
        public Corrupt {
            if ((mask & 0xff) == 0) {
                throw new IllegalArgumentException("a mask of %x changes nothing in a byte".formatted(mask));
            }
        }
    }

    /** From the offset on, at most this many bytes per second, in slices of a hundredth. */
    record Throttle(int bytesPerSecond) implements Fault {

        static final int SLICES_PER_SECOND = 100;

        public Throttle {
            if (bytesPerSecond < SLICES_PER_SECOND) {
                throw new IllegalArgumentException(
                        "at least %d bytes per second, found %d".formatted(SLICES_PER_SECOND, bytesPerSecond));
            }
        }

        int sliceBytes() {
            return bytesPerSecond / SLICES_PER_SECOND;
        }

        Duration pause() {
            return Duration.ofSeconds(1).dividedBy(SLICES_PER_SECOND);
        }
    }
}

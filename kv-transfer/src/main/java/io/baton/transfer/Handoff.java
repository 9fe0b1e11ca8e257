package io.baton.transfer;

/**
 * Names one stream of blocks; echoed in every frame.
 *
 * @param id drawn by the receiver, the same for every attempt
 * @param attempt 1 for the first
 */
public record Handoff(long id, int attempt) {

    @Override
    public String toString() {
        return "handoff %016x attempt %d".formatted(id, attempt);
    }
}

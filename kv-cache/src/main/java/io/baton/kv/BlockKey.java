package io.baton.kv;

/** The first 128 bits of a {@link BlockHash}: equal keys mean equal whole prefixes under one {@link SequenceRoot}. */
public record BlockKey(long high, long low) {

    @Override
    public String toString() {
        return "%016x%016x".formatted(high, low);
    }
}

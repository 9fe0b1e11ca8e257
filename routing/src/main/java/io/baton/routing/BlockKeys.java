package io.baton.routing;

import io.baton.kv.BlockHash;
import io.baton.kv.BlockKey;
import java.util.List;

/** Keys of blocks in order, flat in one array so that a walk along a prompt's prefix touches no objects. Immutable. */
public final class BlockKeys {

    public static final BlockKeys NONE = new BlockKeys(new long[0]);

    private final long[] words; // high, low, high, low, …

    private BlockKeys(long[] words) {
        this.words = words;
    }

    /** The keys of a chain, first block first. */
    public static BlockKeys ofHashes(List<BlockHash> hashes) {
        return ofHashes(hashes, hashes.size());
    }

    /** The keys of a chain's first {@code blocks} blocks. */
    public static BlockKeys ofHashes(List<BlockHash> hashes, int blocks) {
        long[] words = new long[2 * blocks];
        for (int i = 0; i < blocks; i++) {
            put(words, i, hashes.get(i).key());
        }
        return new BlockKeys(words);
    }

    public static BlockKeys ofKeys(List<BlockKey> keys) {
        long[] words = new long[2 * keys.size()];
        for (int i = 0; i < keys.size(); i++) {
            put(words, i, keys.get(i));
        }
        return new BlockKeys(words);
    }

    /** Takes a copy of alternating high and low words. */
    public static BlockKeys ofWords(long[] highLow) {
        if (highLow.length % 2 != 0) {
            throw new IllegalArgumentException("a block key has 2 words, found " + highLow.length + " words in all");
        }
        return new BlockKeys(highLow.clone());
    }

    private static void put(long[] words, int index, BlockKey key) {
        words[2 * index] = key.high();
        words[2 * index + 1] = key.low();
    }

    public int count() {
        return words.length / 2;
    }

    /** A word that stands for the first {@code blocks} blocks, since keys are chained; 0 for none. */
    public long fingerprint(int blocks) {
        return blocks == 0 ? 0 : high(blocks - 1) ^ low(blocks - 1);
    }

    long high(int index) {
        return words[2 * index];
    }

    long low(int index) {
        return words[2 * index + 1];
    }

    @Override
    public String toString() {
        return count() + " block keys";
    }
}

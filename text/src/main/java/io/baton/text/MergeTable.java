package io.baton.text;

import io.baton.model.files.VocabularyFile.Merge;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Which two symbols merge, into what, and how early: an open-addressing hash from a pair to (rank, merged symbol).
 * Filled once, then read by any thread.
 */
final class MergeTable {

    static final int NONE = Integer.MAX_VALUE;

    private static final long EMPTY = Long.MIN_VALUE; // the pair (Integer.MIN_VALUE, 0), which no symbol forms

    private final long[] pairs;
    private final int[] ranks;
    private final int[] merged;
    private final int mask;

    /** A table with room for {@code expected} pairs. */
    MergeTable(int expected) {
        int capacity = Integer.highestOneBit(Math.max(16, expected)) << 2;
        pairs = new long[capacity];
        Arrays.fill(pairs, EMPTY);
        ranks = new int[capacity];
        merged = new int[capacity];
        mask = capacity - 1;
    }

    /** The table of a list of merges, lowest rank first, whose texts must all be tokens. */
    static MergeTable ofRanked(List<Merge> merges, Map<String, Integer> ids) {
        MergeTable table = new MergeTable(merges.size());
        for (int rank = 0; rank < merges.size(); rank++) {
            Merge merge = merges.get(rank);
            table.put(
                    id(ids, merge.left(), rank),
                    id(ids, merge.right(), rank),
                    rank,
                    id(ids, merge.left() + merge.right(), rank));
        }
        return table;
    }

    private static int id(Map<String, Integer> ids, String text, int rank) {
        Integer id = ids.get(text);
        if (id == null) {
            throw new TokenizerException(
                    "merge %d needs \"%s\"; expected a token of the vocabulary".formatted(rank, text));
        }
        return id;
    }

    /** Adds a pair unless it is there with a lower rank. */
    void put(int left, int right, int rank, int result) {
        int slot = slot(left, right);
        if (pairs[slot] == EMPTY || rank < ranks[slot]) {
            pairs[slot] = pair(left, right);
            ranks[slot] = rank;
            merged[slot] = result;
        }
    }

    /** The rank of a pair, lower merging first; {@link #NONE} when it does not merge. */
    int rank(int left, int right) {
        int slot = slot(left, right);
        return pairs[slot] == EMPTY ? NONE : ranks[slot];
    }

    /** What a pair that merges becomes. */
    int merged(int left, int right) {
        return merged[slot(left, right)];
    }

    private int slot(int left, int right) {
        long pair = pair(left, right);
        long hash = pair * 0x9E3779B97F4A7C15L;
        int slot = (int) (hash >>> 32) & mask;
        while (pairs[slot] != pair && pairs[slot] != EMPTY) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private static long pair(int left, int right) {
        return ((long) left << 32) | (right & 0xFFFF_FFFFL);
    }
}

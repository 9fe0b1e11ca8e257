package io.baton.engine.forward;

import io.baton.engine.kernel.Kernels;
import java.util.Arrays;

/** A batch cut into attention's pieces of work: a few consecutive tokens of one entry, for one KV head each. */
final class AttentionTiles {

    private final int tokensPerTile;
    private int[] entry = new int[16];
    private int[] firstToken = new int[16]; // in the entry
    private int count;
    private long keys;

    AttentionTiles(int group) {
        tokensPerTile = Math.max(1, Kernels.ATTENTION_ROWS / group);
    }

    void cut(Batch batch) {
        count = 0;
        keys = 0;
        for (int e = 0; e < batch.entries(); e++) {
            for (int token = 0; token < batch.rowCount(e); token += tokensPerTile) {
                if (count == entry.length) {
                    entry = Arrays.copyOf(entry, 2 * count);
                    firstToken = Arrays.copyOf(firstToken, 2 * count);
                }
                entry[count] = e;
                firstToken[count++] = token;
            }
            keys += (long) batch.rowCount(e) * (batch.position(batch.firstRow(e)) + batch.rowCount(e) / 2 + 1);
        }
    }

    int count() {
        return count;
    }

    /** Keys that all rows together look at, roughly. */
    long keys() {
        return keys;
    }

    int entry(int tile) {
        return entry[tile];
    }

    int firstToken(int tile) {
        return firstToken[tile];
    }

    int tokens(int tile, Batch batch) {
        return Math.min(tokensPerTile, batch.rowCount(entry[tile]) - firstToken[tile]);
    }
}

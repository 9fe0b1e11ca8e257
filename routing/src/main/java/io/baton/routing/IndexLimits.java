package io.baton.routing;

/**
 * Bounds of an index's memory. A block takes about 48 bytes (16 of key, 8 per 64 nodes of holders, half the table
 * empty).
 *
 * @param maxBlocks distinct blocks remembered over all nodes; later ones are not indexed and counted as dropped
 * @param maxNodes nodes that may be known at once
 */
public record IndexLimits(int maxBlocks, int maxNodes) {

    public static final IndexLimits DEFAULT = new IndexLimits(4_000_000, 1_024);

    public IndexLimits {
        if (maxBlocks < 1 || maxBlocks > 1 << 28) {
            throw new IllegalArgumentException("max blocks must be in [1, 2^28], found " + maxBlocks);
        }
        if (maxNodes < 1 || maxNodes > 1 << 16) {
            throw new IllegalArgumentException("max nodes must be in [1, 65536], found " + maxNodes);
        }
    }
}

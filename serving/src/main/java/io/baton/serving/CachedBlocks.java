package io.baton.serving;

import io.baton.kv.BlockKey;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;

/** The keys of the blocks that are cached now, in the order they were stored. Confined to the events thread. */
final class CachedBlocks {

    private final LinkedHashSet<BlockKey> keys = new LinkedHashSet<>();

    void add(Collection<BlockKey> blocks) {
        keys.addAll(blocks);
    }

    void remove(Collection<BlockKey> blocks) {
        blocks.forEach(keys::remove);
    }

    /** An immutable version, for a snapshot. */
    List<BlockKey> copy() {
        return List.copyOf(keys);
    }
}

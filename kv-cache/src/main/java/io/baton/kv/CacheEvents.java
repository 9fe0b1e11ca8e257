package io.baton.kv;

import java.util.List;

/**
 * Told by a {@link KvCache} which blocks became visible in, or left, its prefix index. Called in the order it happened.
 */
public interface CacheEvents {

    /** Parents come before their children. */
    void stored(List<BlockKey> blocks);

    /** Children come before their parents. */
    void removed(List<BlockKey> blocks);

    /** For a cache that nobody watches. */
    static CacheEvents ignored() {
        return new CacheEvents() {
            @Override
            public void stored(List<BlockKey> blocks) {}

            @Override
            public void removed(List<BlockKey> blocks) {}
        };
    }
}

package io.baton.engine;

import io.baton.kv.BlockKey;
import java.util.List;

/**
 * Told which blocks became visible in, or left, an engine's prefix cache. Called on the scheduler thread; must not
 * block.
 */
public interface CacheListener {

    void stored(List<BlockKey> blocks);

    void removed(List<BlockKey> blocks);
}

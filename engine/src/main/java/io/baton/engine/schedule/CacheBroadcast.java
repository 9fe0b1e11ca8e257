package io.baton.engine.schedule;

import io.baton.engine.CacheListener;
import io.baton.kv.BlockKey;
import io.baton.kv.CacheEvents;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes cache events on to whoever watches, in order; consecutive events of a kind go out as one. Confined to the
 * scheduler thread.
 */
final class CacheBroadcast implements CacheEvents {

    private static final Logger log = LoggerFactory.getLogger(CacheBroadcast.class);

    private final List<CacheListener> listeners = new ArrayList<>();
    private final List<BlockKey> pending = new ArrayList<>();
    private boolean pendingStored;

    /** @param cachedNow told to the listener first */
    void add(CacheListener listener, List<BlockKey> cachedNow) {
        flush(); // those changes are in cachedNow
        listeners.add(listener);
        tell(listener, true, cachedNow);
    }

    void remove(CacheListener listener) {
        listeners.remove(listener);
    }

    @Override
    public void stored(List<BlockKey> blocks) {
        append(true, blocks);
    }

    @Override
    public void removed(List<BlockKey> blocks) {
        append(false, blocks);
    }

    private void append(boolean stored, List<BlockKey> blocks) {
        if (stored != pendingStored) {
            flush();
            pendingStored = stored;
        }
        pending.addAll(blocks);
    }

    void flush() {
        if (pending.isEmpty()) {
            return;
        }
        List<BlockKey> blocks = List.copyOf(pending);
        pending.clear();
        for (CacheListener listener : List.copyOf(listeners)) {
            tell(listener, pendingStored, blocks);
        }
    }

    private void tell(CacheListener listener, boolean stored, List<BlockKey> blocks) {
        try {
            if (stored) {
                listener.stored(blocks);
            } else {
                listener.removed(blocks);
            }
        } catch (RuntimeException | Error e) {
            log.error("a cache listener threw and is dropped: it has missed {} blocks", blocks.size(), e);
            listeners.remove(listener);
        }
    }
}

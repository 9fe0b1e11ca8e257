package io.baton.kv;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Remembers events in order as {@code +key} and {@code -key}, and what a watcher believes to be cached. */
final class RecordingEvents implements CacheEvents {

    final List<String> events = new ArrayList<>();
    final Set<BlockKey> believed = new LinkedHashSet<>();

    @Override
    public void stored(List<BlockKey> blocks) {
        for (BlockKey key : blocks) {
            events.add("+" + key);
            if (!believed.add(key)) {
                throw new IllegalStateException(key + " is stored twice");
            }
        }
    }

    @Override
    public void removed(List<BlockKey> blocks) {
        for (BlockKey key : blocks) {
            events.add("-" + key);
            if (!believed.remove(key)) {
                throw new IllegalStateException(key + " is removed, but was not stored");
            }
        }
    }
}

package io.baton.kv;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What {@link KvCache} promises, written without counters, links or ids: the oracle of the random-operation test. */
final class NaiveCache {

    /** A block with content or promised content. */
    static final class Copy {
        final Set<Lease> holders = new HashSet<>();

        @Nullable
        BlockKey key; // set while visible

        @Nullable
        Copy parent;

        long idleSince;
    }

    static final class Lease {
        final List<Copy> table = new ArrayList<>();
        final List<Copy> visible = new ArrayList<>();
        int totalBlocks;
        int forkBlocks;

        int committed() {
            return totalBlocks - table.size() + forkBlocks;
        }
    }

    final List<String> events = new ArrayList<>();
    private final int capacity;
    private final List<Copy> copies = new ArrayList<>();
    private final Set<Lease> leases = new HashSet<>();
    private long clock;

    NaiveCache(int capacity) {
        this.capacity = capacity;
    }

    CacheCounts counts() {
        int cached = (int) copies.stream().filter(NaiveCache::idle).count();
        int committed = leases.stream().mapToInt(Lease::committed).sum();
        return new CacheCounts(capacity, capacity - copies.size(), cached, copies.size() - cached, committed);
    }

    Optional<Lease> tryAdmit(List<BlockHash> reusable, int totalBlocks, int forkBlocks) {
        Lease lease = new Lease();
        for (BlockHash hash : reusable) {
            Copy copy = visible(hash.key());
            if (copy == null || lease.table.size() == totalBlocks) {
                break;
            }
            lease.table.add(copy);
        }
        lease.visible.addAll(lease.table);
        lease.totalBlocks = totalBlocks;
        lease.forkBlocks = forkBlocks;
        CacheCounts before = counts();
        long pinned = lease.table.stream().filter(NaiveCache::idle).count();
        if (before.committed() + lease.committed() > before.free() + before.cached() - pinned) {
            return Optional.empty();
        }
        lease.table.forEach(copy -> copy.holders.add(lease));
        leases.add(lease);
        return Optional.of(lease);
    }

    void extendTo(Lease lease, int count) {
        while (lease.table.size() < count) {
            if (copies.size() == capacity) {
                Copy oldest = copies.stream()
                        .filter(copy -> idle(copy) && copies.stream().noneMatch(child -> child.parent == copy))
                        .min(Comparator.comparingLong(copy -> copy.idleSince))
                        .orElseThrow();
                copies.remove(oldest);
                events.add("-" + oldest.key);
            }
            Copy copy = new Copy();
            copy.holders.add(lease);
            copies.add(copy);
            lease.table.add(copy);
        }
    }

    int reuse(Lease lease, List<BlockHash> reusable) {
        int before = lease.table.size();
        for (BlockHash hash : reusable.subList(Math.min(before, reusable.size()), reusable.size())) {
            Copy copy = visible(hash.key());
            if (copy == null || lease.table.size() == lease.totalBlocks || lease.table.size() > lease.visible.size()) {
                break;
            }
            copy.holders.add(lease);
            lease.table.add(copy);
            lease.visible.add(copy);
        }
        return lease.table.size() - before;
    }

    void publish(Lease lease, BlockHash hash) {
        int index = lease.visible.size();
        Copy own = lease.table.get(index);
        Copy seen = visible(hash.key());
        if (seen == null) {
            own.key = hash.key();
            own.parent = index == 0 ? null : lease.visible.getLast();
            seen = own;
            events.add("+" + own.key);
        } else if (idle(seen)) {
            copies.remove(seen);
            own.key = seen.key;
            own.parent = seen.parent;
            Copy replaced = seen;
            copies.stream().filter(child -> child.parent == replaced).forEach(child -> child.parent = own);
            seen = own;
        } else {
            seen.holders.add(lease);
        }
        lease.visible.add(seen);
    }

    Lease fork(Lease from, int sharedBlocks, int totalBlocks) {
        Lease fork = new Lease();
        fork.table.addAll(from.table.subList(0, sharedBlocks));
        fork.visible.addAll(from.visible.subList(0, Math.min(sharedBlocks, from.visible.size())));
        fork.totalBlocks = totalBlocks;
        from.forkBlocks -= totalBlocks - sharedBlocks;
        fork.table.forEach(copy -> copy.holders.add(fork));
        fork.visible.forEach(copy -> copy.holders.add(fork));
        leases.add(fork);
        return fork;
    }

    void close(Lease lease) {
        for (int i = lease.table.size() - 1; i >= 0; i--) {
            drop(lease, lease.table.get(i));
            if (i < lease.visible.size()) {
                drop(lease, lease.visible.get(i));
            }
        }
        leases.remove(lease);
    }

    private void drop(Lease lease, Copy copy) {
        if (copy.holders.remove(lease) && copy.holders.isEmpty()) {
            if (copy.key == null) {
                copies.remove(copy);
            } else {
                copy.idleSince = clock++;
            }
        }
    }

    private @Nullable Copy visible(BlockKey key) {
        return copies.stream().filter(copy -> key.equals(copy.key)).findFirst().orElse(null);
    }

    private static boolean idle(Copy copy) {
        return copy.holders.isEmpty();
    }
}

package io.baton.routing;

import java.util.ArrayDeque;

/**
 * Columns of the block index. A column that its node no longer shows is swept a little at a time and used again when it
 * is empty, least recently emptied first, so that a view that is still in somebody's hands rarely sees a stranger's
 * blocks. Confined to the index.
 */
final class BlockSlots {

    static final int NONE = -1;

    private static final int SWEEP_ENTRIES = 4_096;

    private final BlockIndex blocks;
    private final ArrayDeque<Integer> free = new ArrayDeque<>();
    private final ArrayDeque<Shed> shed = new ArrayDeque<>();
    private int made;

    private static final class Shed {
        final int slot;
        int held;

        Shed(int slot, int held) {
            this.slot = slot;
            this.held = held;
        }
    }

    BlockSlots(BlockIndex blocks) {
        this.blocks = blocks;
    }

    int take() {
        Integer slot = free.pollFirst();
        return slot != null ? slot : made++;
    }

    /** @param held blocks the slot still holds in the index */
    void giveUp(int slot, int held) {
        if (slot == NONE) {
            return;
        }
        if (held == 0) {
            free.addLast(slot);
        } else {
            shed.addLast(new Shed(slot, held));
        }
    }

    /** Goes on sweeping, for a bounded time. */
    void sweep() {
        Shed old = shed.peekFirst();
        if (old != null) {
            old.held -= blocks.sweep(old.slot, SWEEP_ENTRIES);
            if (old.held <= 0) {
                shed.removeFirst();
                free.addLast(old.slot);
            }
        }
    }
}

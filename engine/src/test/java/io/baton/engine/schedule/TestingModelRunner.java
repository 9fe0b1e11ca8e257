package io.baton.engine.schedule;

import io.baton.engine.forward.LayerListener;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * {@link TestingModel} over blocks of memory. Strict: it refuses rows beyond the batch, positions without a block,
 * writes over anything but zero or the same value, and blocks that were not cleared behind the written slots.
 */
final class TestingModelRunner implements ModelRunner {

    private record Entry(int[] tokens, int firstPosition, int[] table, boolean wantHidden, long[] states) {}

    private final int blocks;
    private final int blockTokens;
    private final int maxRows;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final List<Entry> batch = new ArrayList<>();
    private int rows;
    private boolean ran;
    int steps;
    int failNextRuns;
    volatile boolean zeroFails;

    TestingModelRunner(int blocks, int blockTokens, int maxRows) {
        this.blocks = blocks;
        this.blockTokens = blockTokens;
        this.maxRows = maxRows;
        this.memory = arena.allocate((long) blocks * TestingModel.LAYERS * unitBytes(), Long.BYTES);
        memory.fill((byte) 0x5a); // whoever forgets to clear a block reads this
    }

    @Override
    public int blocks() {
        return blocks;
    }

    @Override
    public long unitBytes() {
        return (long) blockTokens * Long.BYTES;
    }

    @Override
    public MemorySegment unit(int layer, int block) {
        if (block < 0 || block >= blocks) {
            throw new IndexOutOfBoundsException("block " + block);
        }
        return memory.asSlice((block * (long) TestingModel.LAYERS + layer) * unitBytes(), unitBytes());
    }

    @Override
    public void zero(int block) {
        if (zeroFails) {
            throw new IllegalStateException("told to fail");
        }
        for (int layer = 0; layer < TestingModel.LAYERS; layer++) {
            unit(layer, block).fill((byte) 0);
        }
    }

    @Override
    public void copy(int from, int to) {
        for (int layer = 0; layer < TestingModel.LAYERS; layer++) {
            unit(layer, to).copyFrom(unit(layer, from));
        }
    }

    @Override
    public void clear() {
        batch.clear();
        rows = 0;
        ran = false;
    }

    @Override
    public int add(int[] tokens, int from, int count, int firstPosition, int[] blockTable, boolean wantHidden) {
        rows += count;
        if (count < 1 || rows > maxRows) {
            throw new IllegalArgumentException("%d rows of %d".formatted(rows, maxRows));
        }
        int[] own = new int[count];
        System.arraycopy(tokens, from, own, 0, count);
        batch.add(new Entry(own, firstPosition, blockTable, wantHidden, new long[count]));
        return batch.size() - 1;
    }

    @Override
    public void run(LayerListener listener) {
        steps++;
        if (failNextRuns > 0) {
            failNextRuns--;
            throw new IllegalStateException("told to fail");
        }
        for (Entry entry : batch) {
            for (int i = 0; i < entry.tokens.length; i++) {
                entry.states[i] = TestingModel.embed(entry.tokens[i], entry.firstPosition + i);
            }
        }
        for (int layer = 0; layer < TestingModel.LAYERS; layer++) {
            for (Entry entry : batch) {
                for (int i = 0; i < entry.tokens.length; i++) {
                    store(layer, entry, entry.firstPosition + i, TestingModel.kv(entry.states[i], layer));
                }
            }
            listener.layerFinished(layer);
            for (Entry entry : batch) {
                attend(layer, entry);
            }
        }
        ran = true;
    }

    private void store(int layer, Entry entry, int position, long value) {
        MemorySegment unit = unit(layer, entry.table[position / blockTokens]);
        int slot = position % blockTokens;
        long before = unit.getAtIndex(ValueLayout.JAVA_LONG, slot);
        if (before != 0 && before != value) {
            throw new IllegalStateException("position %d is written over other content".formatted(position));
        }
        unit.setAtIndex(ValueLayout.JAVA_LONG, slot, value);
        for (int behind = slot + 1; behind < blockTokens; behind++) {
            long later = unit.getAtIndex(ValueLayout.JAVA_LONG, behind);
            if (before == 0 && later != 0) {
                throw new IllegalStateException("slot %d behind position %d is not clear".formatted(behind, position));
            }
        }
    }

    private void attend(int layer, Entry entry) {
        long attended = 0;
        int last = entry.firstPosition + entry.tokens.length - 1;
        for (int position = 0; position <= last; position++) {
            MemorySegment unit = unit(layer, entry.table[position / blockTokens]);
            attended = TestingModel.mix(attended, unit.getAtIndex(ValueLayout.JAVA_LONG, position % blockTokens));
            if (position >= entry.firstPosition) {
                int row = position - entry.firstPosition;
                entry.states[row] = TestingModel.mix(entry.states[row], attended);
            }
        }
    }

    @Override
    public boolean finite(int entry) {
        requireRun();
        for (int token : batch.get(entry).tokens) {
            if (token == TestingModel.POISON) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void hidden(int entry, float[] out) {
        requireRun();
        if (!batch.get(entry).wantHidden) {
            throw new IllegalStateException("entry " + entry + " did not want its hidden state");
        }
        float[] hidden = TestingModel.hidden(batch.get(entry).states[batch.get(entry).states.length - 1]);
        System.arraycopy(hidden, 0, out, 0, hidden.length);
    }

    private void requireRun() {
        if (!ran) {
            throw new IllegalStateException("the batch has not run");
        }
    }

    @Override
    public void logits(float[][] hidden, int count, float[][] out) {
        for (int i = 0; i < count; i++) {
            System.arraycopy(TestingModel.logits(hidden[i]), 0, out[i], 0, TestingModel.VOCABULARY);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}

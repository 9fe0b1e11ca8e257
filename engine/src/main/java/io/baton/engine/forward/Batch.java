package io.baton.engine.forward;

import java.util.Arrays;

/**
 * The token rows of one pass: consecutive tokens of one or more sequences, each sequence's part an entry. Filled again
 * for every pass; confined to the thread that runs the pass.
 */
public final class Batch {

    private static final int[] NO_BLOCKS = {};

    private final int[] tokens;
    private final int[] positions;
    private final int[] entryOf;
    private int rows;

    private int[] firstRow = new int[16]; // per entry
    private int[] rowCount = new int[16];
    private int[][] blockTables = new int[16][];
    private boolean[] wantHidden = new boolean[16];
    private int entries;

    /** @param maxRows rows that fit; as many as the pass that will run it takes */
    public Batch(int maxRows) {
        tokens = new int[maxRows];
        positions = new int[maxRows];
        entryOf = new int[maxRows];
    }

    public void clear() {
        Arrays.fill(blockTables, 0, entries, NO_BLOCKS);
        rows = 0;
        entries = 0;
    }

    /**
     * Adds {@code tokens[from, from + count)} of a sequence.
     *
     * @param firstPosition position of the first of them; K and V of all positions before it are in the blocks
     * @param blockTable the sequence's block ids, covering all positions up to the last one added; read, not copied,
     *     until the next {@link #clear}
     * @param wantHidden whether the last row's final-norm state is wanted
     * @return the entry's number
     */
    public int add(int[] tokens, int from, int count, int firstPosition, int[] blockTable, boolean wantHidden) {
        if (count < 1 || count > free()) {
            throw new IllegalArgumentException("an entry has 1 to %d rows here, found %d".formatted(free(), count));
        }
        if (entries == firstRow.length) {
            grow();
        }
        System.arraycopy(tokens, from, this.tokens, rows, count);
        for (int i = 0; i < count; i++) {
            positions[rows + i] = firstPosition + i;
            entryOf[rows + i] = entries;
        }
        firstRow[entries] = rows;
        rowCount[entries] = count;
        blockTables[entries] = blockTable;
        this.wantHidden[entries] = wantHidden;
        rows += count;
        return entries++;
    }

    /** Rows that still fit. */
    public int free() {
        return tokens.length - rows;
    }

    public int rows() {
        return rows;
    }

    public int entries() {
        return entries;
    }

    int token(int row) {
        return tokens[row];
    }

    int position(int row) {
        return positions[row];
    }

    int entryOf(int row) {
        return entryOf[row];
    }

    int firstRow(int entry) {
        return firstRow[entry];
    }

    int rowCount(int entry) {
        return rowCount[entry];
    }

    int lastRow(int entry) {
        return firstRow[entry] + rowCount[entry] - 1;
    }

    int[] blockTable(int entry) {
        return blockTables[entry];
    }

    boolean wantHidden(int entry) {
        return wantHidden[entry];
    }

    private void grow() {
        int capacity = 2 * entries;
        firstRow = Arrays.copyOf(firstRow, capacity);
        rowCount = Arrays.copyOf(rowCount, capacity);
        blockTables = Arrays.copyOf(blockTables, capacity);
        wantHidden = Arrays.copyOf(wantHidden, capacity);
    }
}

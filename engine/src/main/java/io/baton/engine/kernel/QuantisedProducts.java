package io.baton.engine.kernel;

import static io.baton.engine.kernel.Q8Tiles.LINE_BYTES;
import static io.baton.engine.kernel.Q8Tiles.PANELS;
import static io.baton.engine.kernel.VectorProducts.TILE_ROWS;
import static io.baton.engine.kernel.VectorProducts.at;

import io.baton.engine.memory.OffHeap;

/**
 * Products with quantised panels cut into tiles. For four rows and more, a strip of panels is unpacked to f32 whole
 * numbers block by block of columns; fewer rows take a panel's groups one by one. Rows of x are laid out as
 * {@link VectorRounding} says.
 */
final class QuantisedProducts {

    private static final int GROUP = MatrixFormat.GROUP;
    private static final int BLOCK_COLUMNS = 256; // two panels and a tile of rows stay in the first cache
    private static final int BLOCK_GROUPS = BLOCK_COLUMNS / GROUP;
    private static final int BLOCK_RUNS = 2 * BLOCK_GROUPS; // columns with one scale, at most two of them in a group
    private static final int BLOCK_ROWS = 128; // of x, which stay in the second cache

    // Scratch: unpacked panels, their scales and offsets; interleaved rows, their scales and products, tile by tile; a
    // tile of outputs; a widened group.
    private static final long SCALES = BLOCK_COLUMNS * LINE_BYTES;
    private static final long OFFSETS = SCALES + BLOCK_RUNS * LINE_BYTES;
    private static final long ROWS = OFFSETS + BLOCK_GROUPS * LINE_BYTES;
    private static final long TILE_BYTES = (long) TILE_ROWS * BLOCK_COLUMNS * Float.BYTES;
    private static final long ROW_SCALES = ROWS + BLOCK_ROWS / TILE_ROWS * TILE_BYTES;
    private static final long TILE_SCALES = (long) TILE_ROWS * BLOCK_RUNS * Float.BYTES;
    private static final long ROW_PRODUCTS = ROW_SCALES + BLOCK_ROWS / TILE_ROWS * TILE_SCALES;
    private static final long TILE_PRODUCTS = (long) TILE_ROWS * BLOCK_GROUPS * Float.BYTES;
    private static final long OUTPUTS = ROW_PRODUCTS + BLOCK_ROWS / TILE_ROWS * TILE_PRODUCTS;
    private static final long WIDENED = OUTPUTS + TILE_ROWS * LINE_BYTES;

    static final long SCRATCH_BYTES = WIDENED + QuantisedPanels.GROUP_BYTES;

    private final PackedMatrix w;
    private final PanelBlock block;
    private final int groups;
    private final long scratch;
    private final long x;
    private final long xScales;
    private final long xProducts;
    private final long xShorts;
    private final long xStride;

    private QuantisedProducts(PackedMatrix w, long x, long xStride, long scratch) {
        this.w = w;
        this.block = w.format().block();
        this.groups = w.columns() / GROUP;
        this.scratch = scratch;
        this.x = x;
        this.xScales = x + VectorRounding.q8Scales(w.columns());
        this.xProducts = x + VectorRounding.q8Products(w.columns());
        this.xShorts = x + VectorRounding.q8Shorts(w.columns());
        this.xStride = xStride;
    }

    static void product(
            PackedMatrix w,
            int fromPanel,
            int toPanel,
            long x,
            long xStride,
            int rows,
            long y,
            long yStride,
            long scratch) {
        QuantisedProducts products = new QuantisedProducts(w, x, xStride, scratch);
        int tiled = rows / TILE_ROWS * TILE_ROWS;
        if (tiled > 0) {
            products.tiled(fromPanel, toPanel, tiled, y, yStride);
        }
        for (int panel = fromPanel; tiled < rows && panel < toPanel; panel++) {
            products.single(panel, tiled, rows, at(y, panel), yStride);
        }
    }

    /** Less than a tile of rows by one panel. */
    private void single(int panel, int fromRow, int toRow, long y, long yStride) {
        long source = w.panel(panel);
        if (w.format() == MatrixFormat.Q8) {
            for (int row = fromRow; row < toRow; row++) {
                long in = row * xStride;
                Q8Tiles.row(source, xShorts + in, xScales + in, y + row * yStride, groups);
            }
            return;
        }
        for (int row = fromRow; row < toRow; row++) {
            OffHeap.zero(y + row * yStride, Lanes.BYTES);
        }
        for (int group = 0; group < groups; group++) {
            scales(source, group, scratch + SCALES, Lanes.BYTES);
            if (block.bits() == 4 && !block.uneven()) {
                for (int row = fromRow; row < toRow; row++) {
                    Q8Tiles.addNibbleRow(
                            source + block.values(group),
                            block.bias(),
                            shorts(row, group),
                            scratch + SCALES,
                            xScale(row, group),
                            y + row * yStride);
                }
            } else {
                widenedRows(source, group, fromRow, toRow, y, yStride);
            }
            if (block.scales().offsets()) {
                QuantisedPanels.offsets(block, source, group, scratch + OFFSETS);
                for (int row = fromRow; row < toRow; row++) {
                    long in = row * xStride + (long) group * Float.BYTES;
                    Q8Tiles.addOffset(scratch + OFFSETS, xProducts + in, y + row * yStride);
                }
            }
        }
    }

    private void widenedRows(long panel, int group, int fromRow, int toRow, long y, long yStride) {
        long values = QuantisedPanels.values(block, panel, group, scratch + WIDENED);
        for (int row = fromRow; row < toRow; row++) {
            for (int half = 0; half < block.scales().perGroup(); half++) {
                long k = (long) half * block.scaleColumns();
                Q8Tiles.addRow(
                        values + k * MatrixFormat.PANEL_ROWS,
                        block.narrow(),
                        shorts(row, group) + k * Short.BYTES,
                        scratch + SCALES + (long) half * Lanes.BYTES,
                        xScale(row, group),
                        y + row * yStride,
                        block.scaleColumns() / 4);
            }
        }
    }

    private long shorts(int row, int group) {
        return xShorts + row * xStride + (long) group * GROUP * Short.BYTES;
    }

    private long xScale(int row, int group) {
        return xScales + row * xStride + (long) group * Float.BYTES;
    }

    /** Writes the scales of a group, {@code stride} bytes apart. */
    private void scales(long panel, int group, long to, long stride) {
        for (int half = 0; half < block.scales().perGroup(); half++) {
            QuantisedPanels.scales(block, panel, group, half, to + half * stride);
        }
    }

    private void tiled(int fromPanel, int toPanel, int rows, long y, long yStride) {
        VectorProducts.clear(fromPanel, toPanel, rows, y, yStride);
        for (int row = 0; row < rows; row += BLOCK_ROWS) {
            int rowCount = Math.min(BLOCK_ROWS, rows - row);
            for (int group = 0; group < groups; group += BLOCK_GROUPS) {
                int count = Math.min(BLOCK_GROUPS, groups - group);
                interleave(row, rowCount, group, count);
                for (int panel = fromPanel; panel < toPanel; panel += PANELS) {
                    int panels = Math.min(PANELS, toPanel - panel);
                    unpack(panel, panels, group, count);
                    strip(panels, count, rowCount, at(y, panel) + row * yStride, yStride);
                }
            }
        }
    }

    /** Rows with their scales and products as {@link Q8Tiles#rows4Vectors2} wants them. */
    private void interleave(int firstRow, int rows, int firstGroup, int count) {
        int perGroup = block.scales().perGroup();
        for (int row = 0; row < rows; row += TILE_ROWS) {
            int tile = row / TILE_ROWS;
            long in = (firstRow + row) * xStride + (long) firstGroup * Float.BYTES;
            Q8Tiles.interleaveGroups(
                    x + (firstRow + row) * xStride + (long) firstGroup * GROUP * Float.BYTES,
                    xStride,
                    count,
                    scratch + ROWS + tile * TILE_BYTES);
            Q8Tiles.interleave(xProducts + in, xStride, count, scratch + ROW_PRODUCTS + tile * TILE_PRODUCTS);
            long scales = scratch + ROW_SCALES + tile * TILE_SCALES;
            for (int g = 0; g < count; g++) {
                for (int half = 0; half < perGroup; half++) {
                    Q8Tiles.interleave(xScales + in + (long) g * Float.BYTES, xStride, 1, scales);
                    scales += TILE_ROWS * Float.BYTES;
                }
            }
        }
    }

    private void unpack(int panel, int panels, int group, int count) {
        int perGroup = block.scales().perGroup();
        for (int p = 0; p < panels; p++) {
            long source = w.panel(panel + p);
            long lane = scratch + (long) p * Lanes.BYTES;
            for (int g = 0; g < count; g++) {
                long values = QuantisedPanels.values(block, source, group + g, scratch + WIDENED);
                Q8Tiles.unpack(values, GROUP / 4, lane + (long) g * GROUP * LINE_BYTES, LINE_BYTES);
                scales(source, group + g, lane + SCALES + (long) g * perGroup * LINE_BYTES, LINE_BYTES);
                if (block.scales().offsets()) {
                    QuantisedPanels.offsets(block, source, group + g, lane + OFFSETS + g * LINE_BYTES);
                }
            }
        }
    }

    /** The unpacked panels by whole tiles of interleaved rows, added to y. */
    private void strip(int panels, int count, int rows, long y, long yStride) {
        for (int row = 0; row < rows; row += TILE_ROWS) {
            long out = y + row * yStride;
            if (panels == PANELS) {
                tile(row / TILE_ROWS, count, out, yStride);
                continue;
            }
            // What lies beside the last panel's outputs is another thread's or nobody's.
            long alone = scratch + OUTPUTS;
            for (int r = 0; r < TILE_ROWS; r++) {
                OffHeap.copy(out + r * yStride, alone + r * LINE_BYTES, (long) panels * Lanes.BYTES);
            }
            tile(row / TILE_ROWS, count, alone, LINE_BYTES);
            for (int r = 0; r < TILE_ROWS; r++) {
                OffHeap.copy(alone + r * LINE_BYTES, out + r * yStride, (long) panels * Lanes.BYTES);
            }
        }
    }

    private void tile(int tile, int count, long y, long yStride) {
        int perGroup = block.scales().perGroup();
        if (!block.scales().offsets()) {
            sums(tile, 0, count * perGroup, y, yStride);
            return;
        }
        for (int g = 0; g < count; g++) {
            sums(tile, g * perGroup, perGroup, y, yStride);
            long products = scratch + ROW_PRODUCTS + tile * TILE_PRODUCTS + (long) g * TILE_ROWS * Float.BYTES;
            Q8Tiles.addOffsets(scratch + OFFSETS + g * LINE_BYTES, products, y, yStride);
        }
    }

    private void sums(int tile, int firstRun, int runs, long y, long yStride) {
        int columns = block.scaleColumns();
        long k = (long) firstRun * columns;
        long in = scratch + ROWS + tile * TILE_BYTES + k * TILE_ROWS * Float.BYTES;
        long inScales = scratch + ROW_SCALES + tile * TILE_SCALES + (long) firstRun * TILE_ROWS * Float.BYTES;
        for (long at = 0; at < LINE_BYTES; at += 2 * Lanes.VECTOR_BYTES) {
            long values = scratch + k * LINE_BYTES + at;
            long scales = scratch + SCALES + firstRun * LINE_BYTES + at;
            Q8Tiles.rows4Vectors2(values, scales, in, inScales, runs, columns, y + at, yStride);
        }
    }
}

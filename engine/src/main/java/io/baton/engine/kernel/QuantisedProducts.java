package io.baton.engine.kernel;

import static io.baton.engine.kernel.VectorProducts.BLOCK_COLUMNS;
import static io.baton.engine.kernel.VectorProducts.STRIP;
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
    private static final int BLOCK_GROUPS = BLOCK_COLUMNS / GROUP;
    private static final int MOST_SCALES = 2; // of a group
    private static final long UNPACKED_PANEL = (long) BLOCK_COLUMNS * Lanes.BYTES;
    private static final long STRIP_BYTES = (long) STRIP * Lanes.BYTES;

    // Scratch: a strip of unpacked panels, their scales and offsets, the sums of a tile, and a widened group.
    private static final long SCALES = STRIP * UNPACKED_PANEL;
    private static final long OFFSETS = SCALES + MOST_SCALES * BLOCK_GROUPS * STRIP_BYTES;
    private static final long SUMS = OFFSETS + BLOCK_GROUPS * STRIP_BYTES;
    private static final long SUMS_BYTES = TILE_ROWS * STRIP_BYTES;
    private static final long WIDENED = SUMS + SUMS_BYTES;

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
            long values = QuantisedPanels.values(block, source, group, scratch + WIDENED);
            scales(source, group, scratch + SCALES, Lanes.BYTES);
            for (int row = fromRow; row < toRow; row++) {
                long xScale = xScales + row * xStride + (long) group * Float.BYTES;
                long shorts = xShorts + row * xStride + (long) group * GROUP * Short.BYTES;
                for (int half = 0; half < block.scales().perGroup(); half++) {
                    long k = (long) half * block.scaleColumns();
                    long scales = scratch + SCALES + (long) half * Lanes.BYTES;
                    Q8Tiles.addRow(
                            values + k * MatrixFormat.PANEL_ROWS,
                            shorts + k * Short.BYTES,
                            scales,
                            xScale,
                            y + row * yStride,
                            block.scaleColumns() / 4);
                }
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

    /** Writes the scales of a group, {@code stride} bytes apart. */
    private void scales(long panel, int group, long to, long stride) {
        for (int half = 0; half < block.scales().perGroup(); half++) {
            QuantisedPanels.scales(block, panel, group, half, to + half * stride);
        }
    }

    private void tiled(int fromPanel, int toPanel, int rows, long y, long yStride) {
        VectorProducts.clear(fromPanel, toPanel, rows, y, yStride);
        for (int group = 0; group < groups; group += BLOCK_GROUPS) {
            int count = Math.min(BLOCK_GROUPS, groups - group);
            int panel = fromPanel;
            for (; panel + STRIP <= toPanel; panel += STRIP) {
                unpack(panel, STRIP, group, count);
                strip(STRIP, group, count, rows, at(y, panel), yStride);
            }
            for (; panel < toPanel; panel++) {
                unpack(panel, 1, group, count);
                strip(1, group, count, rows, at(y, panel), yStride);
            }
        }
    }

    private void unpack(int panel, int panels, int group, int count) {
        long strip = (long) panels * Lanes.BYTES;
        int perGroup = block.scales().perGroup();
        for (int p = 0; p < panels; p++) {
            long source = w.panel(panel + p);
            long lane = (long) p * Lanes.BYTES;
            for (int g = 0; g < count; g++) {
                long to = scratch + p * UNPACKED_PANEL + (long) g * GROUP * Lanes.BYTES;
                long values = QuantisedPanels.values(block, source, group + g, scratch + WIDENED);
                Q8Tiles.unpack(values, to, GROUP / 4);
                scales(source, group + g, scratch + SCALES + (long) g * perGroup * strip + lane, strip);
                if (block.scales().offsets()) {
                    QuantisedPanels.offsets(block, source, group + g, scratch + OFFSETS + g * strip + lane);
                }
            }
        }
    }

    /** Four unpacked panels, or one, by whole tiles of rows, added to y. */
    private void strip(int panels, int firstGroup, int count, int rows, long y, long yStride) {
        OffHeap.zero(scratch + SUMS, SUMS_BYTES);
        long strip = (long) panels * Lanes.BYTES;
        int run = block.scaleColumns();
        for (int row = 0; row < rows; row += TILE_ROWS) {
            long out = y + row * yStride;
            for (int g = 0; g < count; g++) {
                long scaleAt = row * xStride + (long) (firstGroup + g) * Float.BYTES;
                for (int k = g * GROUP; k < (g + 1) * GROUP; k += run) {
                    sums(panels, k, x + row * xStride + (long) (firstGroup * GROUP + k) * Float.BYTES, run);
                    long scales = scratch + SCALES + k / run * strip;
                    Q8Tiles.addScaled(
                            scratch + SUMS, STRIP_BYTES, scales, xScales + scaleAt, xStride, out, yStride, panels);
                }
                if (block.scales().offsets()) {
                    long offsets = scratch + OFFSETS + g * strip;
                    Q8Tiles.addOffsets(offsets, xProducts + scaleAt, xStride, out, yStride, panels);
                }
            }
        }
    }

    private void sums(int panels, int k, long in, int columns) {
        long w0 = scratch + (long) k * Lanes.BYTES;
        if (panels == 1) {
            F32Tiles.rows4Panel1(w0, in, xStride, scratch + SUMS, STRIP_BYTES, columns);
        } else {
            long w1 = w0 + UNPACKED_PANEL;
            long w2 = w1 + UNPACKED_PANEL;
            long w3 = w2 + UNPACKED_PANEL;
            F32Tiles.rows4Panels4(w0, w1, w2, w3, in, xStride, scratch + SUMS, STRIP_BYTES, columns);
        }
    }
}

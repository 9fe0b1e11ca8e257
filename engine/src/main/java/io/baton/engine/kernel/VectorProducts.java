package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;

/**
 * Products cut into tiles. Columns are cut into blocks so that what a strip of panels reads again stays in the caches.
 */
final class VectorProducts {

    private static final int STRIP = 4; // panels
    private static final int TILE_ROWS = 4;
    private static final int BLOCK_COLUMNS = 512;
    private static final int BLOCK_GROUPS = BLOCK_COLUMNS / MatrixFormat.GROUP;
    private static final long UNPACKED_PANEL = (long) BLOCK_COLUMNS * Lanes.BYTES;

    private static final long SCALES_BYTES = (long) STRIP * BLOCK_GROUPS * Lanes.BYTES;
    private static final long SUM_STRIDE = (long) STRIP * Lanes.BYTES;
    private static final long SUMS_BYTES = TILE_ROWS * SUM_STRIDE;

    /** A strip of unpacked q8 panels, their scales, and the sums of a group. */
    static final long SCRATCH_BYTES = STRIP * UNPACKED_PANEL + SCALES_BYTES + SUMS_BYTES;

    private VectorProducts() {}

    static void f32(PackedMatrix w, int fromPanel, int toPanel, long x, long xStride, int rows, long y, long yStride) {
        clear(fromPanel, toPanel, rows, y, yStride);
        int columns = w.columns();
        int step = rows < TILE_ROWS ? columns : BLOCK_COLUMNS;
        long panelBytes = w.format().panelBytes(columns);
        for (int k = 0; k < columns; k += step) {
            int count = Math.min(step, columns - k);
            int panel = fromPanel;
            for (; panel + STRIP <= toPanel; panel += STRIP) {
                long at = w.panel(panel) + (long) k * Lanes.BYTES;
                long in = x + (long) k * Float.BYTES;
                long w1 = at + panelBytes;
                long w2 = w1 + panelBytes;
                long w3 = w2 + panelBytes;
                f32Strip(at, w1, w2, w3, in, xStride, rows, at(y, panel), yStride, count);
            }
            for (; panel < toPanel; panel++) {
                long at = w.panel(panel) + (long) k * Lanes.BYTES;
                f32Panel(at, x + (long) k * Float.BYTES, xStride, rows, at(y, panel), yStride, count);
            }
        }
    }

    /** Four panels by any number of rows, added to y. */
    static void f32Strip(
            long w0, long w1, long w2, long w3, long x, long xStride, int rows, long y, long yStride, int columns) {
        int row = 0;
        for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
            F32Tiles.rows4Panels4(w0, w1, w2, w3, x + row * xStride, xStride, y + row * yStride, yStride, columns);
        }
        for (; row < rows; row++) {
            F32Tiles.row1Panels4(w0, w1, w2, w3, x + row * xStride, y + row * yStride, columns);
        }
    }

    static void f32Panel(long w, long x, long xStride, int rows, long y, long yStride, int columns) {
        int row = 0;
        for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
            F32Tiles.rows4Panel1(w, x + row * xStride, xStride, y + row * yStride, yStride, columns);
        }
        for (; row < rows; row++) {
            F32Tiles.row1Panel1(w, x + row * xStride, y + row * yStride, columns);
        }
    }

    static void bf16(PackedMatrix w, int fromPanel, int toPanel, long x, long xStride, int rows, long y, long yStride) {
        clear(fromPanel, toPanel, rows, y, yStride);
        int columns = w.columns() + w.columns() % 2;
        int step = rows < TILE_ROWS ? columns : 2 * BLOCK_COLUMNS;
        long panelBytes = w.format().panelBytes(columns);
        for (int k = 0; k < columns; k += step) {
            int count = Math.min(step, columns - k);
            int panel = fromPanel;
            for (; panel + STRIP <= toPanel; panel += STRIP) {
                long at = w.panel(panel) + (long) k * (Lanes.BYTES / 2);
                long in = x + (long) k * Float.BYTES;
                long w1 = at + panelBytes;
                long w2 = w1 + panelBytes;
                long w3 = w2 + panelBytes;
                bf16Strip(at, w1, w2, w3, in, xStride, rows, at(y, panel), yStride, count);
            }
            for (; panel < toPanel; panel++) {
                long at = w.panel(panel) + (long) k * (Lanes.BYTES / 2);
                bf16Panel(at, x + (long) k * Float.BYTES, xStride, rows, at(y, panel), yStride, count);
            }
        }
    }

    static void bf16Strip(
            long w0, long w1, long w2, long w3, long x, long xStride, int rows, long y, long yStride, int columns) {
        int row = 0;
        for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
            Bf16Tiles.rows4Panels4(w0, w1, w2, w3, x + row * xStride, xStride, y + row * yStride, yStride, columns);
        }
        for (; row < rows; row++) {
            Bf16Tiles.row1Panels4(w0, w1, w2, w3, x + row * xStride, y + row * yStride, columns);
        }
    }

    static void bf16Panel(long w, long x, long xStride, int rows, long y, long yStride, int columns) {
        int row = 0;
        for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
            Bf16Tiles.rows4Panel1(w, x + row * xStride, xStride, y + row * yStride, yStride, columns);
        }
        for (; row < rows; row++) {
            Bf16Tiles.row1Panel1(w, x + row * xStride, y + row * yStride, columns);
        }
    }

    /** Rows of x are laid out as {@link VectorRounding} says. */
    static void q8(
            PackedMatrix w,
            int fromPanel,
            int toPanel,
            long x,
            long xStride,
            int rows,
            long y,
            long yStride,
            long scratch) {
        int tiled = rows / TILE_ROWS * TILE_ROWS;
        if (tiled > 0) {
            q8Tiled(w, fromPanel, toPanel, x, xStride, tiled, y, yStride, scratch);
        }
        int groups = w.columns() / MatrixFormat.GROUP;
        long scales = VectorRounding.q8Scales(w.columns());
        long shorts = VectorRounding.q8Shorts(w.columns());
        for (int panel = fromPanel; tiled < rows && panel < toPanel; panel++) {
            for (int row = tiled; row < rows; row++) {
                long in = x + row * xStride;
                Q8Tiles.row(w.panel(panel), in + shorts, in + scales, at(y, panel) + row * yStride, groups);
            }
        }
    }

    private static void q8Tiled(
            PackedMatrix w,
            int fromPanel,
            int toPanel,
            long x,
            long xStride,
            int rows,
            long y,
            long yStride,
            long scratch) {
        clear(fromPanel, toPanel, rows, y, yStride);
        int groups = w.columns() / MatrixFormat.GROUP;
        long xScales = x + VectorRounding.q8Scales(w.columns());
        for (int group = 0; group < groups; group += BLOCK_GROUPS) {
            int count = Math.min(BLOCK_GROUPS, groups - group);
            long in = x + (long) group * MatrixFormat.GROUP * Float.BYTES;
            long inScales = xScales + (long) group * Float.BYTES;
            int panel = fromPanel;
            for (; panel + STRIP <= toPanel; panel += STRIP) {
                q8Unpack(w, panel, STRIP, group, count, scratch);
                q8Strip(scratch, in, inScales, xStride, rows, at(y, panel), yStride, count);
            }
            for (; panel < toPanel; panel++) {
                q8Unpack(w, panel, 1, group, count, scratch);
                q8Panel(scratch, in, inScales, xStride, rows, at(y, panel), yStride, count);
            }
        }
    }

    private static void q8Strip(
            long scratch, long x, long xScales, long xStride, int rows, long y, long yStride, int groups) {
        long scales = scratch + STRIP * UNPACKED_PANEL;
        long sums = scales + SCALES_BYTES;
        OffHeap.zero(sums, SUMS_BYTES);
        for (int row = 0; row < rows; row += TILE_ROWS) {
            for (int group = 0; group < groups; group++) {
                long w0 = scratch + (long) group * MatrixFormat.GROUP * Lanes.BYTES;
                long w1 = w0 + UNPACKED_PANEL;
                long w2 = w1 + UNPACKED_PANEL;
                long w3 = w2 + UNPACKED_PANEL;
                long in = x + row * xStride + (long) group * MatrixFormat.GROUP * Float.BYTES;
                F32Tiles.rows4Panels4(w0, w1, w2, w3, in, xStride, sums, SUM_STRIDE, MatrixFormat.GROUP);
                addScaled(sums, scales, xScales, xStride, row, y, yStride, group, STRIP);
            }
        }
    }

    private static void q8Panel(
            long scratch, long x, long xScales, long xStride, int rows, long y, long yStride, int groups) {
        long scales = scratch + STRIP * UNPACKED_PANEL;
        long sums = scales + SCALES_BYTES;
        OffHeap.zero(sums, SUMS_BYTES);
        for (int row = 0; row < rows; row += TILE_ROWS) {
            for (int group = 0; group < groups; group++) {
                long w = scratch + (long) group * MatrixFormat.GROUP * Lanes.BYTES;
                long in = x + row * xStride + (long) group * MatrixFormat.GROUP * Float.BYTES;
                F32Tiles.rows4Panel1(w, in, xStride, sums, SUM_STRIDE, MatrixFormat.GROUP);
                addScaled(sums, scales, xScales, xStride, row, y, yStride, group, 1);
            }
        }
    }

    private static void addScaled(
            long sums, long scales, long xScales, long xStride, int row, long y, long yStride, int group, int panels) {
        Q8Tiles.addScaled(
                sums,
                SUM_STRIDE,
                scales + (long) group * panels * Lanes.BYTES,
                xScales + row * xStride + (long) group * Float.BYTES,
                xStride,
                y + row * yStride,
                yStride,
                panels);
    }

    private static void q8Unpack(PackedMatrix w, int panel, int panels, int group, int count, long scratch) {
        long scales = scratch + STRIP * UNPACKED_PANEL;
        for (int p = 0; p < panels; p++) {
            long source = w.panel(panel + p);
            for (int g = 0; g < count; g++) {
                long to = scratch + p * UNPACKED_PANEL + (long) g * MatrixFormat.GROUP * Lanes.BYTES;
                Q8Tiles.unpack(source + MatrixFormat.q8Values(group + g), to, MatrixFormat.GROUP / 4);
                Lanes.store(
                        scales + (long) (g * panels + p) * Lanes.BYTES,
                        Lanes.loadHalves(source + MatrixFormat.q8Scales(group + g)));
            }
        }
    }

    private static long at(long y, int panel) {
        return y + (long) panel * Lanes.BYTES;
    }

    private static void clear(int fromPanel, int toPanel, int rows, long y, long yStride) {
        for (int row = 0; row < rows; row++) {
            OffHeap.zero(at(y, fromPanel) + row * yStride, (long) (toPanel - fromPanel) * Lanes.BYTES);
        }
    }
}

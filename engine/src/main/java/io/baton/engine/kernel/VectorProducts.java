package io.baton.engine.kernel;

import io.baton.engine.memory.OffHeap;

/**
 * Products with f32 and bf16 cut into tiles. Columns are cut into blocks so that what a strip of panels reads again
 * stays in the caches.
 */
final class VectorProducts {

    private static final int STRIP = 4; // panels
    static final int TILE_ROWS = 4;
    private static final int BLOCK_COLUMNS = 512;

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

    static long at(long y, int panel) {
        return y + (long) panel * Lanes.BYTES;
    }

    static void clear(int fromPanel, int toPanel, int rows, long y, long yStride) {
        for (int row = 0; row < rows; row++) {
            OffHeap.zero(at(y, fromPanel) + row * yStride, (long) (toPanel - fromPanel) * Lanes.BYTES);
        }
    }
}

package io.baton.engine.kernel;

import io.baton.engine.KvType;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention of a tile of query rows (token by token, the heads of a token side by side) over one KV head. Scores and
 * weighted values are the same panel products as those of weights. Later tokens see more keys, so the rows that see a
 * key at all are the last ones of the tile.
 */
final class VectorAttention {

    private static final long SCORE_STRIDE = (long) Kernels.SEGMENT * Float.BYTES;
    private static final int STRIP = 4; // panels
    private static final int TILE_ROWS = 4;
    private static final int LANES = Lanes.F32.length(); // keys of a vector
    private static final int MOST_BLOCK_TOKENS = 128;

    private final KvPool pool;
    private final KvLayout layout;
    private final int layer;
    private final int[] blockTable;
    private final int kvHead;
    private final int position;
    private final int group;
    private final int rows;

    private final int headDim;
    private final long stride; // of queries and accumulators
    private final long queries;
    private final long scores;
    private final long segment; // a of the segment
    private final long merged; // A
    private final long maxima; // m of the segment, then M, l, L and the queries' scales: one f32 per row each
    private final long merging;
    private final long sums;
    private final long totals;
    private final long queryScales;
    private final long unpacked;

    static long scratchBytes(int headDim, int group) {
        int rows = Math.max(Kernels.ATTENTION_ROWS, group);
        long unpackedColumns = Math.max(MOST_BLOCK_TOKENS, headDim + 3);
        return rows * (3 * OffHeap.rowBytes(headDim + 3) + SCORE_STRIDE)
                + 5 * OffHeap.rowBytes(rows)
                + STRIP * unpackedColumns * Lanes.BYTES;
    }

    VectorAttention(
            KvPool pool, int layer, int[] blockTable, int kvHead, int position, int tokens, int group, long scratch) {
        this.pool = pool;
        this.layout = pool.layout();
        this.layer = layer;
        this.blockTable = blockTable;
        this.kvHead = kvHead;
        this.position = position;
        this.group = group;
        this.rows = tokens * group;
        this.headDim = layout.headDim();
        this.stride = OffHeap.rowBytes(headDim + 3);
        this.queries = scratch;
        this.scores = queries + rows * stride;
        this.segment = scores + rows * SCORE_STRIDE;
        this.merged = segment + rows * stride;
        long perRow = OffHeap.rowBytes(rows);
        this.maxima = merged + rows * stride;
        this.merging = maxima + perRow;
        this.sums = merging + perRow;
        this.totals = sums + perRow;
        this.queryScales = totals + perRow;
        this.unpacked = queryScales + perRow;
    }

    void attend(long q, long qStride, long y, long yStride) {
        for (int row = 0; row < rows; row++) {
            prepareQuery(row, q + row / group * qStride + (long) (row % group) * headDim * Float.BYTES);
        }
        int visible = visible(rows - 1);
        for (int from = 0; from < visible; from += Kernels.SEGMENT) {
            int to = Math.min(visible, from + Kernels.SEGMENT);
            int firstRow = Math.max(0, from - position) * group;
            score(firstRow, from, to);
            for (int row = firstRow; row < rows; row++) {
                weigh(row, from, Math.min(to, visible(row)) - from);
            }
            mix(firstRow, from, to);
            for (int row = firstRow; row < rows; row++) {
                merge(row, from == 0);
            }
        }
        for (int row = 0; row < rows; row++) {
            finish(row, y + row / group * yStride + (long) (row % group) * headDim * Float.BYTES);
        }
    }

    /** Keys that a row sees. */
    private int visible(int row) {
        return position + row / group + 1;
    }

    private void prepareQuery(int row, long q) {
        long query = queries + row * stride;
        OffHeap.zero(query, stride);
        OffHeap.copy(q, query, (long) headDim * Float.BYTES);
        float scale = Arithmetic.attentionScale(headDim);
        FloatVector largest = Lanes.zero();
        for (long at = query; at < query + stride; at += Lanes.VECTOR_BYTES) {
            FloatVector v = Lanes.load(at).mul(scale);
            largest = largest.max(v.abs());
            Lanes.store(at, layout.type() == KvType.BF16 ? Lanes.roundToBf16(v) : v);
        }
        if (layout.type() == KvType.Q8) {
            float queryScale = Arithmetic.q8Scale(largest.reduceLanes(VectorOperators.MAX));
            float inverse = Arithmetic.q8Inverse(queryScale);
            OffHeap.f32(queryScales + (long) row * Float.BYTES, queryScale);
            for (long at = query; at < query + stride; at += Lanes.VECTOR_BYTES) {
                Lanes.store(
                        at, Lanes.load(at).mul(inverse).add(Arithmetic.ROUNDER).sub(Arithmetic.ROUNDER));
            }
        }
    }

    /**
     * Scores of all keys of {@code [from, to)} for rows from {@code firstRow}, masked ones too; they are never read.
     */
    private void score(int firstRow, int from, int to) {
        for (int row = firstRow; row < rows; row++) {
            OffHeap.zero(scores + row * SCORE_STRIDE, OffHeap.rowBytes(to - from));
        }
        int key = from;
        int end = from + Math.ceilDiv(to - from, Lanes.COUNT) * Lanes.COUNT;
        for (; key + STRIP * Lanes.COUNT <= end; key += STRIP * Lanes.COUNT) {
            scoreStrip(firstRow, key, from);
        }
        for (; key < to; key += Lanes.COUNT) {
            scorePanel(firstRow, keyPanel(key), from, key);
        }
        if (layout.type() == KvType.Q8) {
            scaleScores(firstRow, from, to);
        }
    }

    private void scoreStrip(int firstRow, int key, int from) {
        long w0 = keyPanel(key);
        long w1 = keyPanel(key + Lanes.COUNT);
        long w2 = keyPanel(key + 2 * Lanes.COUNT);
        long w3 = keyPanel(key + 3 * Lanes.COUNT);
        long y = scores + firstRow * SCORE_STRIDE + (long) (key - from) * Float.BYTES;
        long x = queries + firstRow * stride;
        int count = rows - firstRow;
        switch (layout.type()) {
            case F32 -> VectorProducts.f32Strip(w0, w1, w2, w3, x, stride, count, y, SCORE_STRIDE, headDim);
            case BF16 ->
                VectorProducts.bf16Strip(w0, w1, w2, w3, x, stride, count, y, SCORE_STRIDE, headDim + headDim % 2);
            case Q8 -> {
                int quads = Math.ceilDiv(headDim, 4);
                long panelBytes = (long) quads * 4 * Lanes.BYTES;
                Q8Tiles.unpack(w0, quads, unpacked, Lanes.BYTES);
                Q8Tiles.unpack(w1, quads, unpacked + panelBytes, Lanes.BYTES);
                Q8Tiles.unpack(w2, quads, unpacked + 2 * panelBytes, Lanes.BYTES);
                Q8Tiles.unpack(w3, quads, unpacked + 3 * panelBytes, Lanes.BYTES);
                VectorProducts.f32Strip(
                        unpacked,
                        unpacked + panelBytes,
                        unpacked + 2 * panelBytes,
                        unpacked + 3 * panelBytes,
                        x,
                        stride,
                        count,
                        y,
                        SCORE_STRIDE,
                        quads * 4);
            }
        }
    }

    private void scorePanel(int firstRow, long panel, int from, int key) {
        long y = scores + firstRow * SCORE_STRIDE + (long) (key - from) * Float.BYTES;
        long x = queries + firstRow * stride;
        int count = rows - firstRow;
        switch (layout.type()) {
            case F32 -> VectorProducts.f32Panel(panel, x, stride, count, y, SCORE_STRIDE, headDim);
            case BF16 -> VectorProducts.bf16Panel(panel, x, stride, count, y, SCORE_STRIDE, headDim + headDim % 2);
            case Q8 -> {
                int quads = Math.ceilDiv(headDim, 4);
                Q8Tiles.unpack(panel, quads, unpacked, Lanes.BYTES);
                VectorProducts.f32Panel(unpacked, x, stride, count, y, SCORE_STRIDE, quads * 4);
            }
        }
    }

    /** Whole numbers times the scales of key and query. */
    private void scaleScores(int firstRow, int from, int to) {
        for (int row = firstRow; row < rows; row++) {
            float queryScale = OffHeap.f32(queryScales + (long) row * Float.BYTES);
            for (int key = from; key < to; key += LANES) {
                long at = scores + row * SCORE_STRIDE + (long) (key - from) * Float.BYTES;
                long scales = unit(key) + layout.keyScale(kvHead, key % layout.blockTokens());
                Lanes.store(at, Lanes.load(at).mul(Lanes.load(scales).mul(queryScale)));
            }
        }
    }

    /** Turns a row's first {@code count} scores into p, rounded or scaled for the V type; notes m and l. */
    private void weigh(int row, int from, int count) {
        long begin = scores + row * SCORE_STRIDE;
        long end = begin + OffHeap.rowBytes(count);
        for (long at = begin + (long) count * Float.BYTES; at < end; at += Float.BYTES) {
            OffHeap.f32(at, Float.NEGATIVE_INFINITY); // p is 0 there
        }
        FloatVector highest = Lanes.load(begin);
        for (long at = begin + Lanes.VECTOR_BYTES; at < end; at += Lanes.VECTOR_BYTES) {
            highest = highest.max(Lanes.load(at));
        }
        float max = highest.reduceLanes(VectorOperators.MAX);
        FloatVector a = Lanes.zero();
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int key = from;
        for (long at = begin; at < end; at += Lanes.BYTES) {
            a = a.add(weigh(at, key, max));
            if (Lanes.VECTORS > 1) {
                b = b.add(weigh(at + Lanes.VECTOR_BYTES, key + LANES, max));
            }
            if (Lanes.VECTORS > 2) {
                c = c.add(weigh(at + 2 * Lanes.VECTOR_BYTES, key + 2 * LANES, max));
                d = d.add(weigh(at + 3 * Lanes.VECTOR_BYTES, key + 3 * LANES, max));
            }
            key += Lanes.COUNT;
        }
        OffHeap.f32(maxima + (long) row * Float.BYTES, max);
        OffHeap.f32(sums + (long) row * Float.BYTES, Lanes.tree(a, b, c, d));
    }

    private FloatVector weigh(long score, int key, float max) {
        FloatVector p = Lanes.exp(Lanes.load(score).sub(max));
        Lanes.store(score, ready(p, key));
        return p;
    }

    private FloatVector ready(FloatVector p, int key) {
        return switch (layout.type()) {
            case F32 -> p;
            case BF16 -> Lanes.roundToBf16(p);
            case Q8 -> p.mul(Lanes.load(unit(key) + layout.valueScale(kvHead, key % layout.blockTokens())));
        };
    }

    /** Adds up weighted values of keys {@code [from, to)}, block by block. */
    private void mix(int firstRow, int from, int to) {
        OffHeap.zero(segment + firstRow * stride, (rows - firstRow) * stride);
        int blockTokens = layout.blockTokens();
        for (int key = from; key < to; key += blockTokens) {
            int begin = Math.max(firstRow, (key - position) * group);
            int panels = Math.ceilDiv(headDim, Lanes.COUNT);
            int panel = 0;
            for (; panel + STRIP <= panels; panel += STRIP) {
                mixStrip(begin, key, from, panel);
            }
            for (; panel < panels; panel++) {
                mixPanel(begin, key, from, panel);
            }
        }
    }

    private void mixStrip(int begin, int key, int from, int panel) {
        long panelBytes = layout.valuePanelBytes();
        long w0 = valuePanel(key, panel);
        if (layout.type() == KvType.Q8) {
            w0 = unpackValues(key, panel, STRIP);
            panelBytes = (long) layout.blockTokens() * Lanes.BYTES;
        }
        long w1 = w0 + panelBytes;
        long w2 = w1 + panelBytes;
        long w3 = w2 + panelBytes;
        int row = begin;
        for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
            int common = seenByAll(row, key);
            long x = weights(row, key, from);
            long y = mixed(row, panel);
            if (layout.type() == KvType.BF16) {
                Bf16Tiles.rows4Panels4(w0, w1, w2, w3, x, SCORE_STRIDE, y, stride, common);
            } else {
                F32Tiles.rows4Panels4(w0, w1, w2, w3, x, SCORE_STRIDE, y, stride, common);
            }
            for (int r = row; r < row + TILE_ROWS; r++) {
                mixRow(w0, panelBytes, r, key, from, panel, STRIP, common);
            }
        }
        for (; row < rows; row++) {
            int pairs = seen(row, key) & ~1;
            long x = weights(row, key, from);
            long y = mixed(row, panel);
            if (layout.type() == KvType.BF16) {
                Bf16Tiles.row1Panels4(w0, w1, w2, w3, x, y, pairs);
            } else {
                F32Tiles.row1Panels4(w0, w1, w2, w3, x, y, pairs);
            }
            mixRow(w0, panelBytes, row, key, from, panel, STRIP, pairs);
        }
    }

    private void mixPanel(int begin, int key, int from, int panel) {
        long w = layout.type() == KvType.Q8 ? unpackValues(key, panel, 1) : valuePanel(key, panel);
        int row = begin;
        for (; row + TILE_ROWS <= rows; row += TILE_ROWS) {
            int common = seenByAll(row, key);
            long x = weights(row, key, from);
            if (layout.type() == KvType.BF16) {
                Bf16Tiles.rows4Panel1(w, x, SCORE_STRIDE, mixed(row, panel), stride, common);
            } else {
                F32Tiles.rows4Panel1(w, x, SCORE_STRIDE, mixed(row, panel), stride, common);
            }
            for (int r = row; r < row + TILE_ROWS; r++) {
                mixRow(w, 0, r, key, from, panel, 1, common);
            }
        }
        for (; row < rows; row++) {
            mixRow(w, 0, row, key, from, panel, 1, 0);
        }
    }

    /** The keys of a block, from the even index {@code done}, that one row sees. */
    private void mixRow(long w, long panelBytes, int row, int key, int from, int panel, int panels, int done) {
        int seen = seen(row, key);
        long x = weights(row, key, from);
        for (int p = 0; p < panels && done < seen; p++) {
            long y = mixed(row, panel + p);
            long source = w + p * panelBytes;
            if (layout.type() == KvType.BF16) {
                int pairs = seen & ~1;
                long at = (long) done * (Lanes.BYTES / 2);
                Bf16Tiles.row1Panel1(source + at, x + (long) done * Float.BYTES, y, pairs - done);
                if (seen > pairs) { // the other key of the pair is not visible and takes no part
                    Bf16Tiles.evenOfPair(source + (long) pairs * (Lanes.BYTES / 2), x + (long) pairs * Float.BYTES, y);
                }
            } else {
                long at = (long) done * Lanes.BYTES;
                F32Tiles.row1Panel1(source + at, x + (long) done * Float.BYTES, y, seen - done);
            }
        }
    }

    private long unpackValues(int key, int panel, int panels) {
        long panelBytes = (long) layout.blockTokens() * Lanes.BYTES;
        for (int p = 0; p < panels; p++) {
            Q8Tiles.unpack(
                    valuePanel(key, panel + p), layout.blockTokens() / 4, unpacked + p * panelBytes, Lanes.BYTES);
        }
        return unpacked;
    }

    /** Keys of the block at {@code key} that a row sees. */
    private int seen(int row, int key) {
        return Math.clamp(visible(row) - key, 0, layout.blockTokens());
    }

    /** An even number of keys that this row and those after it see. */
    private int seenByAll(int row, int key) {
        return seen(row, key) & ~1;
    }

    private long weights(int row, int key, int from) {
        return scores + row * SCORE_STRIDE + (long) (key - from) * Float.BYTES;
    }

    private long mixed(int row, int panel) {
        return segment + row * stride + (long) panel * Lanes.BYTES;
    }

    private void merge(int row, boolean first) {
        long source = segment + row * stride;
        long target = merged + row * stride;
        long in = (long) row * Float.BYTES;
        float max = OffHeap.f32(maxima + in);
        float sum = OffHeap.f32(sums + in);
        if (first) {
            OffHeap.copy(source, target, stride);
            OffHeap.f32(merging + in, max);
            OffHeap.f32(totals + in, sum);
            return;
        }
        float before = OffHeap.f32(merging + in);
        float highest = Math.max(before, max);
        float f = Arithmetic.exp(before - highest);
        float g = Arithmetic.exp(max - highest);
        OffHeap.f32(merging + in, highest);
        OffHeap.f32(totals + in, Math.fma(OffHeap.f32(totals + in), f, sum * g));
        for (long at = 0; at < stride; at += Lanes.VECTOR_BYTES) {
            FloatVector a = Lanes.load(source + at).mul(g);
            Lanes.store(target + at, Lanes.load(target + at).fma(Lanes.broadcast(f), a));
        }
    }

    private void finish(int row, long y) {
        long target = merged + row * stride;
        float total = OffHeap.f32(totals + (long) row * Float.BYTES);
        for (long at = 0; at < stride; at += Lanes.VECTOR_BYTES) {
            Lanes.store(target + at, Lanes.load(target + at).div(total));
        }
        OffHeap.copy(target, y, (long) headDim * Float.BYTES);
    }

    private long keyPanel(int key) {
        int token = key % layout.blockTokens();
        return unit(key) + layout.keys(kvHead) + token / Lanes.COUNT * layout.keyPanelBytes();
    }

    private long valuePanel(int key, int panel) {
        return unit(key) + layout.values(kvHead) + panel * layout.valuePanelBytes();
    }

    private long unit(int key) {
        return pool.address(layer, blockTable[key / layout.blockTokens()]);
    }
}

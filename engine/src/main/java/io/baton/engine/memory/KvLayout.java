package io.baton.engine.memory;

import io.baton.engine.KvType;
import java.util.Locale;

/**
 * Where K and V of a block's tokens lie in one unit, the contiguous memory of one (layer, block). For each KV head: its
 * K, its V and, for q8, the scales of both. K and V are panels like those of weights, sixteen rows interleaved, so that
 * attention is the same lane-wise product: K has tokens as rows, V has head dimensions as rows. With g values stored
 * together (f32 1, bf16 2, q8 4):
 *
 * <pre>
 *   K      [blockTokens / 16][headDim / g][16][g]   headDim padded to a multiple of g with zeros
 *   V      [headDim / 16][blockTokens / g][16][g]   headDim padded to a multiple of 16 with zeros
 *   scales f32 [blockTokens] of K, then of V        q8 only
 * </pre>
 *
 * @param blockTokens a multiple of 16
 */
public record KvLayout(KvType type, int blockTokens, int kvHeads, int headDim) {

    /** Rows of a panel. */
    public static final int PANEL_ROWS = 16;

    public KvLayout {
        if (blockTokens < PANEL_ROWS || blockTokens % PANEL_ROWS != 0 || kvHeads < 1 || headDim < 1) {
            throw new IllegalArgumentException(
                    "no KV layout for %d tokens, %d heads of %d".formatted(blockTokens, kvHeads, headDim));
        }
    }

    /** Bytes of one unit. */
    public long unitBytes() {
        return kvHeads * headBytes();
    }

    /** Bytes of one KV head. */
    public long headBytes() {
        long panels = blockTokens / PANEL_ROWS * keyPanelBytes()
                + paddedTo(headDim, PANEL_ROWS) / PANEL_ROWS * valuePanelBytes();
        return panels + (type == KvType.Q8 ? 2L * Float.BYTES * blockTokens : 0);
    }

    /** Where K of {@code kvHead} begins in a unit. */
    public long keys(int kvHead) {
        return kvHead * headBytes();
    }

    /** Where V of {@code kvHead} begins in a unit. */
    public long values(int kvHead) {
        return keys(kvHead) + blockTokens / PANEL_ROWS * keyPanelBytes();
    }

    /** Where the scale of K of {@code token} lies in a unit; q8 only. */
    public long keyScale(int kvHead, int token) {
        return values(kvHead)
                + paddedTo(headDim, PANEL_ROWS) / PANEL_ROWS * valuePanelBytes()
                + (long) Float.BYTES * token;
    }

    /** Where the scale of V of {@code token} lies in a unit; q8 only. */
    public long valueScale(int kvHead, int token) {
        return keyScale(kvHead, token) + (long) Float.BYTES * blockTokens;
    }

    /** Where element {@code d} of K of {@code token} (counted from the block's first) lies in a unit. */
    public long key(int kvHead, int token, int d) {
        return keys(kvHead) + token / PANEL_ROWS * keyPanelBytes() + inPanel(token, d);
    }

    /** Where element {@code d} of V of {@code token} lies in a unit. */
    public long value(int kvHead, int token, int d) {
        return values(kvHead) + d / PANEL_ROWS * valuePanelBytes() + inPanel(d, token);
    }

    /** Bytes of K of sixteen tokens. */
    public long keyPanelBytes() {
        return (long) paddedTo(headDim, type.groupElements()) * PANEL_ROWS * type.bytes();
    }

    /** Bytes of V of sixteen head dimensions. */
    public long valuePanelBytes() {
        return (long) blockTokens * PANEL_ROWS * type.bytes();
    }

    /** Names the layout in the sequence fingerprint: equal names mean equal bytes for equal K and V. */
    public String describe() {
        return "panels16,%s,block=%d,heads=%d,dim=%d"
                .formatted(type.name().toLowerCase(Locale.ROOT), blockTokens, kvHeads, headDim);
    }

    private long inPanel(int row, int column) {
        int g = type.groupElements();
        return ((long) (column / g * PANEL_ROWS + row % PANEL_ROWS) * g + column % g) * type.bytes();
    }

    private static int paddedTo(int n, int multiple) {
        return (n + multiple - 1) / multiple * multiple;
    }
}

package io.baton.engine.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A row of GGUF blocks taken apart: a code for each value, and the scales as they are stored. The layouts are those of
 * ggml's {@code block_q8_0, q4_0, q4_1, q5_0, q5_1, iq4_nl, q4_K, q5_K} and {@code q6_K}. Reused from row to row by one
 * thread.
 */
public final class QuantisedRow {

    private static final VarHandle S32 = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle S16 = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int NIBBLES = 0x0f0f0f0f;
    private static final int GROUP = MatrixFormat.GROUP;
    private static final int WIDE = 256; // columns of a block with nested scales
    private static final int WIDE_GROUPS = WIDE / GROUP;

    final PanelBlock layout;

    /** Per column: the stored bits, or the value itself where it has eight. */
    final byte[] codes;

    /** f16, per group, or per 256 columns where scales are nested; offsets likewise, all zero where there are none. */
    final short[] scales;

    final short[] offsets;

    /** Two per group where scales are nested: its scale and its minimum, or the scales of its halves. */
    final byte[] inner;

    private byte[] bytes = {};

    private QuantisedRow(PanelBlock layout, int columns) {
        this.layout = layout;
        this.codes = new byte[columns];
        int blocks = layout.scales().nested() ? columns / WIDE : columns / GROUP;
        this.scales = new short[blocks];
        this.offsets = new short[blocks];
        this.inner = new byte[layout.scales().nested() ? columns / GROUP * 2 : 0];
    }

    /** @param format a quantised one, which takes that many columns */
    public static QuantisedRow of(MatrixFormat format, int columns) {
        return new QuantisedRow(format.block(), columns);
    }

    /** Takes a row of blocks apart. */
    public void read(MemorySegment blocks) {
        int count = Math.toIntExact(blocks.byteSize());
        if (bytes.length != count) {
            bytes = new byte[count];
        }
        MemorySegment.copy(blocks, ValueLayout.JAVA_BYTE, 0, bytes, 0, count);
        int blockBytes = scales.length == 0 ? 0 : count / scales.length;
        for (int block = 0; block < scales.length; block++) {
            int at = block * blockBytes;
            switch (layout.scales()) {
                case PLAIN, WITH_OFFSETS -> small(block, at);
                case NESTED_WITH_MINS -> wide(block, at);
                case NESTED_HALVES -> sixBits(block, at);
            }
        }
    }

    /** {@code f16 scale; f16 offset?; u8 fifthBits[4]?; u8 nibbles[16] or s8 values[32]}. */
    private void small(int block, int start) {
        int at = start;
        scales[block] = s16(at);
        at += Short.BYTES;
        if (layout.scales().offsets()) {
            offsets[block] = s16(at);
            at += Short.BYTES;
        }
        int first = block * GROUP;
        if (layout.bits() == Byte.SIZE) {
            System.arraycopy(bytes, at, codes, first, GROUP);
            return;
        }
        int fifths = 0;
        if (layout.bits() == 5) {
            fifths = s32(at);
            at += Integer.BYTES;
        }
        for (int i = 0; i < GROUP / 2; i += 4) {
            int pair = s32(at + i);
            put(first + i, (pair & NIBBLES) | fifthBits(fifths >>> i));
            put(first + GROUP / 2 + i, (pair >>> 4 & NIBBLES) | fifthBits(fifths >>> (GROUP / 2 + i)));
        }
    }

    /** The lowest four bits, each at bit 4 of a byte of its own. */
    private static int fifthBits(int bits) {
        return ((bits & 15) * 0x00204081 & 0x01010101) << 4;
    }

    /** {@code f16 d, dmin; u8 scalesAndMins[12]; u8 fifthBits[32]?; u8 nibbles[4][32]}. */
    private void wide(int block, int start) {
        scales[block] = s16(start);
        offsets[block] = s16(start + Short.BYTES);
        int at = start + 2 * Short.BYTES;
        for (int group = 0; group < WIDE_GROUPS; group++) {
            int to = (block * WIDE_GROUPS + group) * 2;
            if (group < 4) {
                inner[to] = (byte) (bytes[at + group] & 63);
                inner[to + 1] = (byte) (bytes[at + group + 4] & 63);
            } else {
                inner[to] = (byte) ((bytes[at + group + 4] & 15) | (bytes[at + group - 4] & 0xc0) >> 2);
                inner[to + 1] = (byte) ((bytes[at + group + 4] >> 4 & 15) | (bytes[at + group] & 0xc0) >> 2);
            }
        }
        int fifths = at + 12;
        int nibbles = layout.bits() == 5 ? fifths + GROUP : fifths;
        for (int pair = 0; pair < WIDE_GROUPS / 2; pair++) {
            int first = block * WIDE + pair * 2 * GROUP;
            for (int i = 0; i < GROUP; i += 4) {
                int both = s32(nibbles + pair * GROUP + i);
                int high = layout.bits() == 5 ? s32(fifths + i) >>> (2 * pair) : 0;
                put(first + i, (both & NIBBLES) | (high & 0x01010101) << 4);
                put(first + GROUP + i, (both >>> 4 & NIBBLES) | (high >>> 1 & 0x01010101) << 4);
            }
        }
    }

    /** {@code {u8 nibbles[64]}[2]; {u8 highBits[32]}[2]; s8 scales[16]; f16 d}. */
    private void sixBits(int block, int start) {
        int high = start + WIDE / 2;
        int innerScales = high + WIDE / 4;
        scales[block] = s16(innerScales + WIDE / 16);
        System.arraycopy(bytes, innerScales, inner, block * WIDE_GROUPS * 2, WIDE / 16);
        for (int half = 0; half < 2; half++) {
            int first = block * WIDE + half * WIDE / 2;
            for (int i = 0; i < GROUP; i += 4) {
                int low = s32(start + half * 2 * GROUP + i);
                int next = s32(start + half * 2 * GROUP + GROUP + i);
                int bits = s32(high + half * GROUP + i);
                put(first + i, (low & NIBBLES) | (bits & 0x03030303) << 4);
                put(first + GROUP + i, (next & NIBBLES) | (bits >>> 2 & 0x03030303) << 4);
                put(first + 2 * GROUP + i, (low >>> 4 & NIBBLES) | (bits >>> 4 & 0x03030303) << 4);
                put(first + 3 * GROUP + i, (next >>> 4 & NIBBLES) | (bits >>> 6 & 0x03030303) << 4);
            }
        }
    }

    /** Whether all scales are finite, hence all values. */
    public boolean finite() {
        for (int i = 0; i < scales.length; i++) {
            if (!Float.isFinite(Float.float16ToFloat(scales[i])) || !Float.isFinite(Float.float16ToFloat(offsets[i]))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Every value by the format's definition: {@code scale * weight}, plus the offset where there is one, in f32. The
     * products are exact, so that the order of factors and fusing do not show; the sum rounds once.
     */
    public void values(float[] values) {
        int run = layout.scaleColumns();
        for (int first = 0; first < codes.length; first += run) {
            int group = first / GROUP;
            int block = layout.scales().nested() ? group / WIDE_GROUPS : group;
            float scale = Float.float16ToFloat(scales[block]);
            float offset = Float.float16ToFloat(offsets[block]);
            if (layout.scales().nested()) {
                scale *= inner[first / run * (2 / layout.scales().perGroup())];
                offset = layout.scales().offsets() ? -(offset * inner[2 * group + 1]) : 0;
            }
            for (int k = first; k < first + run; k++) {
                int weight = layout.uneven() ? PanelBlock.level(codes[k]) : codes[k] - layout.bias();
                values[k] = layout.scales().offsets() ? scale * weight + offset : scale * weight;
            }
        }
    }

    /** The codes of four columns from {@code k}, a byte each. */
    int quad(int k) {
        return (int) S32.get(codes, k);
    }

    private void put(int k, int quad) {
        S32.set(codes, k, quad);
    }

    private int s32(int at) {
        return (int) S32.get(bytes, at);
    }

    private short s16(int at) {
        return (short) S16.get(bytes, at);
    }
}

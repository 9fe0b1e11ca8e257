package io.baton.transfer;

import java.util.List;
import java.util.zip.CRC32C;

/**
 * CRC32C of the token ids that a prefill is asked for. Frames carry the chained hash of every whole block, which a
 * prompt that arrived changed cannot give; nothing tells of the tokens of a last, partial block but this.
 */
public final class PromptChecksum {

    private PromptChecksum() {}

    /** Of each id's four bytes, little endian, in order. */
    public static int of(List<Integer> tokenIds) {
        CRC32C crc = new CRC32C();
        for (int token : tokenIds) {
            crc.update(token);
            crc.update(token >>> 8);
            crc.update(token >>> 16);
            crc.update(token >>> 24);
        }
        return (int) crc.getValue();
    }
}

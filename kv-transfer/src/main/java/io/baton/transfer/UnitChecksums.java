package io.baton.transfer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.BitSet;

/** The CRC32C of every unit that went through one stream, and their digest in canonical order. One thread at a time. */
final class UnitChecksums {

    private final int[] crcs;
    private final BitSet present;

    UnitChecksums(TransferShape shape) {
        this.crcs = new int[shape.units()];
        this.present = new BitSet(shape.units());
    }

    void add(int unitIndex, int crc) {
        crcs[unitIndex] = crc;
        present.set(unitIndex);
    }

    boolean contains(int unitIndex) {
        return present.get(unitIndex);
    }

    int count() {
        return present.cardinality();
    }

    /** SHA-256 over the checksums, little endian, by layer and then by block. */
    byte[] digest() {
        MessageDigest sha256 = sha256();
        ByteBuffer word = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int unit = present.nextSetBit(0); unit >= 0; unit = present.nextSetBit(unit + 1)) {
            sha256.update(word.clear().putInt(crcs[unit]).flip());
        }
        return sha256.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}

package io.baton.kv;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The chained SHA-256 digest of a whole block: it covers the block's tokens and, through its parent, every token
 * before.
 */
public final class BlockHash {

    static final int BYTES = 32;

    private final byte[] digest;
    private final BlockKey key;

    BlockHash(byte[] digest) {
        this.digest = digest;
        ByteBuffer buffer = ByteBuffer.wrap(digest);
        this.key = new BlockKey(buffer.getLong(), buffer.getLong());
    }

    /** Wraps a copy of a 32-byte digest. */
    public static BlockHash of(byte[] digest) {
        if (digest.length != BYTES) {
            throw new IllegalArgumentException("a block hash has " + BYTES + " bytes, found " + digest.length);
        }
        return new BlockHash(digest.clone());
    }

    public BlockKey key() {
        return key;
    }

    /** A copy of the 32 bytes. */
    public byte[] bytes() {
        return digest.clone();
    }

    byte[] digest() {
        return digest;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BlockHash that && Arrays.equals(digest, that.digest);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(digest);
    }

    @Override
    public String toString() {
        return HexFormat.of().formatHex(digest, 0, 8);
    }
}

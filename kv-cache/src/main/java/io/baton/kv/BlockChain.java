package io.baton.kv;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The hashes of a growing sequence's whole blocks: {@code SHA-256(parent digest ‖ int32-LE token ids ‖ extra keys)},
 * the extra keys length-prefixed and empty so far. Not safe for concurrent use.
 */
public final class BlockChain {

    private final int blockTokens;
    private final List<BlockHash> hashes = new ArrayList<>();
    private final MessageDigest sha256 = IdentityDigest.sha256();
    private final ByteBuffer tail; // token ids after the last whole block
    private BlockHash parent;

    public BlockChain(SequenceRoot root, int blockTokens) {
        if (blockTokens < 1) {
            throw new IllegalArgumentException("blockTokens must be at least 1, found " + blockTokens);
        }
        this.blockTokens = blockTokens;
        this.parent = root.hash();
        this.tail = ByteBuffer.allocate(blockTokens * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A chain that goes on from where {@code other} is now. */
    public BlockChain(BlockChain other) {
        this.blockTokens = other.blockTokens;
        this.parent = other.parent;
        this.tail = ByteBuffer.allocate(other.tail.capacity()).order(ByteOrder.LITTLE_ENDIAN);
        this.tail.put(other.tail.duplicate().flip());
        this.hashes.addAll(other.hashes);
    }

    /** The hashes of all whole blocks of {@code tokens}. */
    public static List<BlockHash> of(SequenceRoot root, int[] tokens, int blockTokens) {
        BlockChain chain = new BlockChain(root, blockTokens);
        for (int token : tokens) {
            chain.append(token);
        }
        return chain.hashes();
    }

    public void append(int token) {
        tail.putInt(token);
        if (!tail.hasRemaining()) {
            sha256.update(parent.digest());
            sha256.update(tail.flip());
            sha256.update(new byte[Integer.BYTES]); // no extra keys
            parent = new BlockHash(sha256.digest());
            hashes.add(parent);
            tail.clear();
        }
    }

    public int blockTokens() {
        return blockTokens;
    }

    /** Hashes of the whole blocks so far, first block first; a read-only view. */
    public List<BlockHash> hashes() {
        return Collections.unmodifiableList(hashes);
    }

    /**
     * How many blocks of a prompt's prefix may be taken from a cache: the last token is always computed, because its
     * hidden state is needed.
     */
    public static int reusableBlocks(int promptTokens, int blockTokens) {
        return Math.max(0, promptTokens - 1) / blockTokens;
    }
}

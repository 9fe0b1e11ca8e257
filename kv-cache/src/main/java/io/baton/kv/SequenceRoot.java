package io.baton.kv;

/**
 * Where a chain of blocks begins: what is computed, for whom, in which encoding. Different roots never share a block.
 */
public final class SequenceRoot {

    /** The encoding of KV that was never anything but what the producer computed. */
    public static final String LOSSLESS = "lossless";

    private final BlockHash hash;

    private SequenceRoot(BlockHash hash) {
        this.hash = hash;
    }

    /**
     * @param fingerprintDigest {@link SequenceFingerprint#digest()}
     * @param adapter LoRA adapter, empty for none
     * @param effectiveSalt what the gateway derived from tenant, sharing group and client salt; empty or 32 bytes
     * @param encoding {@link #LOSSLESS}, or the name of a lossy encoding the KV went through
     */
    public static SequenceRoot of(byte[] fingerprintDigest, String adapter, byte[] effectiveSalt, String encoding) {
        return new SequenceRoot(new BlockHash(new IdentityDigest()
                .bytes(fingerprintDigest)
                .text(adapter)
                .bytes(effectiveSalt)
                .text(encoding)
                .finish()));
    }

    BlockHash hash() {
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SequenceRoot that && hash.equals(that.hash);
    }

    @Override
    public int hashCode() {
        return hash.hashCode();
    }

    @Override
    public String toString() {
        return "root " + hash;
    }
}

package io.baton.transfer;

import io.baton.kv.BlockKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** The fields of one {@code baton.v1.KvFrame} but its payload. Reused from frame to frame; one thread at a time. */
final class FrameHeader {

    static final int KV = 1;
    static final int PROGRESS = 2;
    static final int RESULT = 3;
    static final int END = 4;

    static final int POOL_LAYOUT = 0;
    static final int HASH_BYTES = 16;
    static final int DIGEST_BYTES = 32;

    /** No header is longer, as Baton writes it; the rest of a page is left to unknown fields. */
    static final int MAX_BYTES = 4096;

    int kind;
    long handoffId;
    int attempt;
    int sequenceNumber;
    int group;
    int layer;
    int firstBlock;
    int blockCount;
    int firstHead;
    int headCount;
    int encoding;
    int lastBlockTokens;
    int hashLength;
    final byte[] hash = new byte[HASH_BYTES];
    int crc32c;

    boolean hasProgress;
    int phase;
    int queuePosition;
    int tokensDone;
    int tokensTotal;
    int progressCachedTokens;
    int wireVersion;

    boolean hasEnd;
    int units;
    int digestLength;
    final byte[] digest = new byte[DIGEST_BYTES];
    long queueMicros;
    long prefixFetchMicros;
    long computeMicros;
    int endCachedTokens;

    private final ByteBuffer checked = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    private final CRC32C crc = new CRC32C();

    void clear() {
        kind = 0;
        handoffId = 0;
        attempt = 0;
        sequenceNumber = 0;
        group = 0;
        layer = 0;
        firstBlock = 0;
        blockCount = 0;
        firstHead = 0;
        headCount = 0;
        encoding = 0;
        lastBlockTokens = 0;
        hashLength = 0;
        crc32c = 0;
        hasProgress = false;
        phase = 0;
        queuePosition = 0;
        tokensDone = 0;
        tokensTotal = 0;
        progressCachedTokens = 0;
        wireVersion = 0;
        hasEnd = false;
        units = 0;
        digestLength = 0;
        queueMicros = 0;
        prefixFetchMicros = 0;
        computeMicros = 0;
        endCachedTokens = 0;
    }

    /** The hash as a block key, when there is one. */
    BlockKey hashKey() {
        ByteBuffer bytes = ByteBuffer.wrap(hash);
        return new BlockKey(bytes.getLong(), bytes.getLong());
    }

    void setHash(BlockKey key) {
        ByteBuffer.wrap(hash).putLong(key.high()).putLong(key.low());
        hashLength = HASH_BYTES;
    }

    /** What {@link #crc32c} must be, given the CRC32C of each unit of the payload. */
    int checksum(int[] payloadCrcs, int count) {
        checked.clear()
                .putInt(kind)
                .putLong(handoffId)
                .putInt(attempt)
                .putInt(sequenceNumber)
                .putInt(group)
                .putInt(layer)
                .putInt(firstBlock)
                .putInt(blockCount)
                .putInt(firstHead)
                .putInt(headCount)
                .putInt(encoding)
                .putInt(lastBlockTokens)
                .putInt(hashLength)
                .put(hash, 0, hashLength);
        checked.putInt(phase)
                .putInt(queuePosition)
                .putInt(tokensDone)
                .putInt(tokensTotal)
                .putInt(progressCachedTokens)
                .putInt(wireVersion);
        checked.putInt(units)
                .putInt(digestLength)
                .put(digest, 0, digestLength)
                .putLong(queueMicros)
                .putLong(prefixFetchMicros)
                .putLong(computeMicros)
                .putInt(endCachedTokens);
        crc.reset();
        crc.update(checked.flip());
        for (int i = 0; i < count; i++) {
            crc.update(checked.clear().putInt(payloadCrcs[i]).flip());
        }
        return (int) crc.getValue();
    }
}

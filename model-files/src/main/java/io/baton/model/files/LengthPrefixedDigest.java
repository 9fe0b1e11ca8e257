package io.baton.model.files;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256 over fields whose lengths are part of what is digested. Used by one thread. */
final class LengthPrefixedDigest {

    private static final long MAX_BUFFER = 1 << 30; // a byte buffer ends before 2 GiB

    private final MessageDigest sha256;
    private final ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);

    LengthPrefixedDigest() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    LengthPrefixedDigest number(long value) {
        sha256.update(word.clear().putLong(value).flip());
        return this;
    }

    LengthPrefixedDigest bytes(byte[] value) {
        number(value.length);
        sha256.update(value);
        return this;
    }

    LengthPrefixedDigest text(String value) {
        return bytes(value.getBytes(StandardCharsets.UTF_8));
    }

    /** Bytes without a length of their own; the caller has digested what determines it. */
    LengthPrefixedDigest raw(MemorySegment bytes) {
        for (long start = 0; start < bytes.byteSize(); start += MAX_BUFFER) {
            sha256.update(bytes.asSlice(start, Math.min(MAX_BUFFER, bytes.byteSize() - start))
                    .asByteBuffer());
        }
        return this;
    }

    byte[] finish() {
        return sha256.digest();
    }
}

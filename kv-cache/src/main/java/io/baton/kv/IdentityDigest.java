package io.baton.kv;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256 over length-prefixed fields, so that no two different field lists give the same bytes. */
final class IdentityDigest {

    private final MessageDigest sha256 = sha256();
    private final ByteBuffer word = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    IdentityDigest int32(int value) {
        sha256.update(word.clear().putInt(value).flip());
        return this;
    }

    IdentityDigest bytes(byte[] value) {
        int32(value.length);
        sha256.update(value);
        return this;
    }

    IdentityDigest text(String value) {
        return bytes(value.getBytes(StandardCharsets.UTF_8));
    }

    byte[] finish() {
        return sha256.digest();
    }
}

package io.baton.gateway;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Who may share cached KV with whom: HMAC-SHA256 under the cluster's key over tenant, sharing group and client salt,
 * each length-prefixed. A tenant that does not know the key can never name another one's blocks. Immutable; any thread.
 */
final class EffectiveSalt {

    private static final String ALGORITHM = "HmacSHA256";

    private final Optional<byte[]> key;

    EffectiveSalt(Optional<String> clusterKey) {
        key = clusterKey.map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    /** 32 bytes; or none when there is neither a key nor anything to tell apart. */
    byte[] of(Tenant tenant, String clientSalt) {
        if (key.isEmpty() && tenant.equals(Tenant.ANONYMOUS) && clientSalt.isEmpty()) {
            return new byte[0];
        }
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            // HMAC pads a key with zeros, so one zero byte is the empty key, which Java does not take.
            mac.init(new SecretKeySpec(key.orElse(new byte[1]), ALGORITHM));
            for (String part : List.of(tenant.name(), tenant.sharingGroup(), clientSalt)) {
                byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
                mac.update(ByteBuffer.allocate(Integer.BYTES)
                        .putInt(0, bytes.length)
                        .array());
                mac.update(bytes);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
        }
    }
}

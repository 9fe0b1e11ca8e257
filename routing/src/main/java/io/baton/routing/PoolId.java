package io.baton.routing;

import io.baton.kv.SequenceFingerprint;
import java.util.HexFormat;

/**
 * Nodes that may share sequences: same model name, same sequence fingerprint.
 *
 * @param fingerprint digest of the sequence fingerprint in hex
 */
public record PoolId(String model, String fingerprint) {

    public static PoolId of(String model, SequenceFingerprint fingerprint) {
        return new PoolId(model, HexFormat.of().formatHex(fingerprint.digest()));
    }
}

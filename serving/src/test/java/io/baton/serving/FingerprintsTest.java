package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.baton.kv.BlockKey;
import io.baton.kv.SequenceFingerprint;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class FingerprintsTest {

    private static final SequenceFingerprint FINGERPRINT = new SequenceFingerprint(
            filled(1),
            "adapter",
            "weights=f32,activations=f32,kv=bf16",
            3,
            "cpu",
            32,
            "panels16",
            "theta=10000",
            filled(2));

    @Test
    void fingerprintsAndKeysSurviveTheWire() {
        assertThat(Fingerprints.fromProto(Fingerprints.toProto(FINGERPRINT))).isEqualTo(FINGERPRINT);
        BlockKey key = new BlockKey(-1, Long.MIN_VALUE);
        assertThat(Fingerprints.fromProto(Fingerprints.toProto(key))).isEqualTo(key);
    }

    @Test
    void aMalformedFingerprintIsRefusedByField() {
        io.baton.proto.v1.SequenceFingerprint proto = Fingerprints.toProto(FINGERPRINT);
        assertThatThrownBy(() -> Fingerprints.fromProto(
                        proto.toBuilder().setTokenizerDigest(ByteString.EMPTY).build()))
                .hasMessage("fingerprint.tokenizer_digest: expected 32 bytes, found 0");
        assertThatThrownBy(() -> Fingerprints.fromProto(
                        proto.toBuilder().setBlockTokens(0).build()))
                .hasMessageContaining("fingerprint.block_tokens");
    }

    private static byte[] filled(int value) {
        byte[] digest = new byte[32];
        Arrays.fill(digest, (byte) value);
        return digest;
    }
}

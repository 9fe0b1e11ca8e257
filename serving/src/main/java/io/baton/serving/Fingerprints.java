package io.baton.serving;

import com.google.protobuf.ByteString;
import io.baton.kv.BlockKey;
import io.baton.kv.SequenceFingerprint;
import io.baton.proto.v1.BlockRef;

/** Identities between their records and their protobuf messages. */
public final class Fingerprints {

    private static final int DIGEST_BYTES = 32;

    private Fingerprints() {}

    public static io.baton.proto.v1.SequenceFingerprint toProto(SequenceFingerprint fingerprint) {
        return io.baton.proto.v1.SequenceFingerprint.newBuilder()
                .setWeightsDigest(ByteString.copyFrom(fingerprint.weightsDigest()))
                .setAdapter(fingerprint.adapter())
                .setNumerics(fingerprint.numerics())
                .setArithmeticRevision(fingerprint.arithmeticRevision())
                .setBackendClass(fingerprint.backendClass())
                .setBlockTokens(fingerprint.blockTokens())
                .setKvLayout(fingerprint.kvLayout())
                .setRope(fingerprint.rope())
                .setTokenizerDigest(ByteString.copyFrom(fingerprint.tokenizerDigest()))
                .build();
    }

    /** Throws {@link IllegalArgumentException} naming the field that is malformed. */
    public static SequenceFingerprint fromProto(io.baton.proto.v1.SequenceFingerprint fingerprint) {
        if (fingerprint.getBlockTokens() < 1) {
            throw new IllegalArgumentException(
                    "fingerprint.block_tokens: expected at least 1, found " + fingerprint.getBlockTokens());
        }
        return new SequenceFingerprint(
                digest("weights_digest", fingerprint.getWeightsDigest()),
                fingerprint.getAdapter(),
                fingerprint.getNumerics(),
                fingerprint.getArithmeticRevision(),
                fingerprint.getBackendClass(),
                fingerprint.getBlockTokens(),
                fingerprint.getKvLayout(),
                fingerprint.getRope(),
                digest("tokenizer_digest", fingerprint.getTokenizerDigest()));
    }

    public static BlockRef toProto(BlockKey key) {
        return BlockRef.newBuilder().setKeyHigh(key.high()).setKeyLow(key.low()).build();
    }

    public static BlockKey fromProto(BlockRef ref) {
        return new BlockKey(ref.getKeyHigh(), ref.getKeyLow());
    }

    private static byte[] digest(String field, ByteString bytes) {
        if (bytes.size() != DIGEST_BYTES) {
            throw new IllegalArgumentException(
                    "fingerprint.%s: expected %d bytes, found %d".formatted(field, DIGEST_BYTES, bytes.size()));
        }
        return bytes.toByteArray();
    }
}

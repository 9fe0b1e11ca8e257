package io.baton.kv;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;

/**
 * Everything two nodes must agree on before they may share a sequence: equal fingerprints mean that both compute the
 * same function of (prompt, sampling parameters, seed), bit for bit.
 *
 * @param weightsDigest SHA-256 of the weights
 * @param adapter LoRA adapter, empty for none
 * @param numerics e.g. {@code weights=f32,activations=f32,kv=bf16}
 * @param arithmeticRevision raised whenever any bit of any result may change
 * @param backendClass {@code cpu} or {@code cuda}
 * @param blockTokens positions per KV block
 * @param kvLayout byte layout of a block
 * @param rope rotary embedding parameters
 * @param tokenizerDigest SHA-256 of the vocabulary
 */
public record SequenceFingerprint(
        byte[] weightsDigest,
        String adapter,
        String numerics,
        int arithmeticRevision,
        String backendClass,
        int blockTokens,
        String kvLayout,
        String rope,
        byte[] tokenizerDigest) {

    public SequenceFingerprint {
        weightsDigest = weightsDigest.clone();
        tokenizerDigest = tokenizerDigest.clone();
    }

    @Override
    public byte[] weightsDigest() {
        return weightsDigest.clone();
    }

    @Override
    public byte[] tokenizerDigest() {
        return tokenizerDigest.clone();
    }

    /** SHA-256 over all fields, length-prefixed. */
    public byte[] digest() {
        return new IdentityDigest()
                .bytes(weightsDigest)
                .text(adapter)
                .text(numerics)
                .int32(arithmeticRevision)
                .text(backendClass)
                .int32(blockTokens)
                .text(kvLayout)
                .text(rope)
                .bytes(tokenizerDigest)
                .finish();
    }

    /** Names the first field in which {@code found} differs from this, with both values; empty when none does. */
    public Optional<String> differenceFrom(SequenceFingerprint found) {
        Object[][] fields = {
            {"weights_digest", hex(weightsDigest), hex(found.weightsDigest)},
            {"adapter", adapter, found.adapter},
            {"numerics", numerics, found.numerics},
            {"arithmetic_revision", arithmeticRevision, found.arithmeticRevision},
            {"backend_class", backendClass, found.backendClass},
            {"block_tokens", blockTokens, found.blockTokens},
            {"kv_layout", kvLayout, found.kvLayout},
            {"rope", rope, found.rope},
            {"tokenizer_digest", hex(tokenizerDigest), hex(found.tokenizerDigest)},
        };
        for (Object[] field : fields) {
            if (!field[1].equals(field[2])) {
                return Optional.of("%s differs: expected %s, found %s".formatted(field));
            }
        }
        return Optional.empty();
    }

    private static String hex(byte[] digest) {
        return HexFormat.of().formatHex(digest);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SequenceFingerprint that && differenceFrom(that).isEmpty();
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(weightsDigest), numerics, blockTokens, kvLayout);
    }
}

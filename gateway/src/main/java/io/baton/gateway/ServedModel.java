package io.baton.gateway;

import io.baton.kv.SequenceFingerprint;
import io.baton.model.files.ModelFile;
import io.baton.model.files.ModelMetadata;
import io.baton.routing.KvGeometry;
import io.baton.text.Tokenizer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a gateway must know of the model whose prompts it tokenizes. It computes nothing, so the weights do not matter
 * here; the nodes agree on those among themselves.
 */
public record ServedModel(
        String name,
        String architecture,
        int contextLength,
        int vocabularySize,
        int layers,
        int kvHeads,
        int headDim,
        Tokenizer tokenizer,
        byte[] tokenizerDigest) {

    private static final Pattern KV_TYPE = Pattern.compile("(?:^|,)kv=([a-z0-9]+)");

    public ServedModel {
        tokenizerDigest = tokenizerDigest.clone();
    }

    /** Reads it from a model's file, which may be closed afterwards. */
    public static ServedModel of(ModelFile file) {
        ModelMetadata metadata = file.metadata();
        return new ServedModel(
                metadata.name(),
                metadata.architecture(),
                metadata.contextLength(),
                metadata.vocabularySize(),
                metadata.layers(),
                metadata.kvHeads(),
                metadata.headDim(),
                Tokenizer.of(file.vocabulary()),
                file.tokenizerDigest());
    }

    @Override
    public byte[] tokenizerDigest() {
        return tokenizerDigest.clone();
    }

    /** Why a node that says this about itself cannot serve this model; empty when it can. */
    Optional<String> mismatch(String nodeModel, SequenceFingerprint fingerprint) {
        if (!nodeModel.equals(name)) {
            return Optional.of("model differs: expected %s, found %s".formatted(name, nodeModel));
        }
        if (!Arrays.equals(fingerprint.tokenizerDigest(), tokenizerDigest)) {
            return Optional.of("tokenizer_digest differs: expected %s, found %s"
                    .formatted(hex(tokenizerDigest), hex(fingerprint.tokenizerDigest())));
        }
        return Optional.empty();
    }

    /** What a position's KV weighs on nodes with this fingerprint. */
    KvGeometry geometry(SequenceFingerprint fingerprint) {
        Matcher matcher = KV_TYPE.matcher(fingerprint.numerics());
        String type = matcher.find() ? matcher.group(1) : "";
        long vectors = 2L * layers * kvHeads; // one of K and one of V per head and layer
        long vectorBytes = switch (type) {
            case "f32" -> 4L * headDim;
            case "q8" -> headDim + 4L; // and its scale
            default -> 2L * headDim; // bf16, and the size most 16-bit types to come will have
        };
        return new KvGeometry(fingerprint.blockTokens(), layers, vectors * vectorBytes);
    }

    private static String hex(byte[] digest) {
        return HexFormat.of().formatHex(digest, 0, Math.min(8, digest.length)) + "…";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ServedModel that
                && name.equals(that.name)
                && Arrays.equals(tokenizerDigest, that.tokenizerDigest);
    }

    @Override
    public int hashCode() {
        return 31 * name.hashCode() + Arrays.hashCode(tokenizerDigest);
    }
}

package io.baton.engine.model;

import io.baton.engine.ActivationMode;
import io.baton.engine.EngineException;
import io.baton.engine.ModelShape;
import io.baton.model.files.ModelFile;
import io.baton.model.files.ModelMetadata;
import io.baton.model.files.RopeParameters;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.util.HashSet;
import java.util.Set;

/** Which model files are of the Llama family as computed here, and what they say about themselves. */
public final class LlamaFiles {

    private static final Set<String> ARCHITECTURES = Set.of("llama");
    private static final int LARGEST_HEAD = 1024; // an int8 dot product of a head stays exact in f32
    private static final String[] LAYER_TENSORS = {
        "attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"
    };

    private LlamaFiles() {}

    /** Refuses, with the reason, a model that cannot be served or would be computed wrongly. */
    public static void check(ModelFile file) {
        ModelMetadata metadata = file.metadata();
        metadata.cachingObstacle().ifPresent(obstacle -> {
            throw refused(file, obstacle);
        });
        require(
                ARCHITECTURES.contains(metadata.architecture()),
                file,
                "architecture %s is not served, expected one of %s; choose such a model"
                        .formatted(metadata.architecture(), ARCHITECTURES));
        require(
                metadata.heads() % metadata.kvHeads() == 0,
                file,
                "%d query heads cannot share %d KV heads, expected a whole number for each; convert the model again"
                        .formatted(metadata.heads(), metadata.kvHeads()));
        require(
                metadata.headDim() == metadata.valueDim() && metadata.headDim() <= LARGEST_HEAD,
                file,
                "found key heads of %d and value heads of %d, expected equal ones of at most %d; choose another model"
                        .formatted(metadata.headDim(), metadata.valueDim(), LARGEST_HEAD));
        RopeParameters rope = metadata.rope();
        require(
                rope.dimensions() <= metadata.headDim(),
                file,
                "found %d rotated dimensions, expected at most %d, as many as a head has; convert the model again"
                        .formatted(rope.dimensions(), metadata.headDim()));
        String window = metadata.architecture() + ".attention.sliding_window";
        metadata.keys()
                .integer(window)
                .ifPresent(positions -> require(
                        positions == 0 || positions >= metadata.contextLength(),
                        file,
                        "%s is %d, expected none, as attention is computed over the whole context of %d here; choose a model without it"
                                .formatted(window, positions, metadata.contextLength())));
        checkTensors(file);
    }

    /** A tensor that nobody reads would be a part of the model left out. */
    private static void checkTensors(ModelFile file) {
        Set<String> known =
                new HashSet<>(Set.of("token_embd.weight", "output_norm.weight", "output.weight", "rope_freqs.weight"));
        for (int layer = 0; layer < file.metadata().layers(); layer++) {
            for (String tensor : LAYER_TENSORS) {
                known.add("blk.%d.%s.weight".formatted(layer, tensor));
            }
        }
        for (Tensor tensor : file.tensors()) {
            require(
                    known.contains(tensor.name()),
                    file,
                    ("tensor %s has no part in the Llama architecture as served here (biases and experts have none);"
                                    + " choose a model without it")
                            .formatted(tensor.name()));
            require(
                    TensorRows.READABLE.contains(tensor.type()),
                    file,
                    "tensor %s is stored as %s, expected one of %s; convert the model to one of them"
                            .formatted(tensor.name(), tensor.type(), TensorRows.READABLE));
        }
    }

    public static ModelShape shape(ModelFile file) {
        ModelMetadata metadata = file.metadata();
        return new ModelShape(
                metadata.name(),
                metadata.architecture(),
                metadata.layers(),
                metadata.dim(),
                metadata.hiddenDim(),
                metadata.heads(),
                metadata.kvHeads(),
                metadata.headDim(),
                metadata.vocabularySize(),
                metadata.contextLength());
    }

    /** The activation mode of a file nobody chose one for; depends on the file alone, so that all nodes agree. */
    public static ActivationMode defaultMode(ModelFile file) {
        boolean bf16 = false;
        for (Tensor tensor : file.tensors()) {
            if (TensorRows.quantised(tensor.type()).isPresent()) {
                return ActivationMode.Q8;
            }
            bf16 |= tensor.type() == TensorType.BF16;
        }
        return bf16 ? ActivationMode.BF16 : ActivationMode.F32;
    }

    private static void require(boolean holds, ModelFile file, String reason) {
        if (!holds) {
            throw refused(file, reason);
        }
    }

    private static EngineException refused(ModelFile file, String reason) {
        return new EngineException(EngineException.Kind.UNSUPPORTED_MODEL, "%s: %s".formatted(file.path(), reason));
    }
}

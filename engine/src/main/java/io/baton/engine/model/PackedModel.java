package io.baton.engine.model;

import io.baton.engine.ActivationMode;
import io.baton.engine.ModelShape;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The weights of a Llama-family model, packed. Immutable; any thread. Closing it frees the weights: every pass over it
 * must have ended.
 *
 * @param activations what fixed the format of the matrices
 * @param normEpsilon of every RMSNorm
 * @param embedding a row per token
 * @param finalNorm address of {@code [dim]} f32
 * @param head from the final norm to logits; the embedding itself when the model ties them
 * @param memory where everything lies
 */
public record PackedModel(
        ModelShape shape,
        ActivationMode activations,
        float normEpsilon,
        RopeTable rope,
        PackedMatrix embedding,
        List<LayerWeights> layers,
        long finalNorm,
        PackedMatrix head,
        Arena memory)
        implements AutoCloseable {

    public PackedModel {
        layers = List.copyOf(layers);
    }

    /** Bytes of weights that one step reads: every matrix once, but of the embedding only a row per token. */
    public long stepBytes() {
        long bytes = head.bytes();
        for (LayerWeights layer : layers) {
            bytes += layer.matrices().stream().mapToLong(PackedMatrix::bytes).sum();
        }
        return bytes;
    }

    /** Every matrix once: a tied head is the embedding. */
    public List<PackedMatrix> matrices() {
        List<PackedMatrix> matrices = new ArrayList<>();
        matrices.add(embedding);
        for (LayerWeights layer : layers) {
            matrices.addAll(layer.matrices());
        }
        if (!head.equals(embedding)) {
            matrices.add(head);
        }
        return matrices;
    }

    /** How its matrices are packed, each format once. */
    public Set<MatrixFormat> formats() {
        return matrices().stream().map(PackedMatrix::format).collect(Collectors.toCollection(TreeSet::new));
    }

    @Override
    public void close() {
        memory.close();
    }
}

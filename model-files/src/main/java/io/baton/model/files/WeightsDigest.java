package io.baton.model.files;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * SHA-256 of a model's weights as a function, not as a file. Two files of the same weights have one digest because it
 * is taken over a canonical form:
 *
 * <ul>
 *   <li>tensors sorted by canonical name;
 *   <li>rows of query and key matrices in the order of {@link RopePairs#HALVES};
 *   <li>vectors (norms, biases) widened to F32, which is exact and which converters do anyway;
 *   <li>without {@code rope_freqs.weight}, which belongs to the rope parameters;
 *   <li>without an output matrix that is the embedding again, which some converters write out.
 * </ul>
 *
 * <p>A tensor is digested in pieces of whole rows, about {@value #PIECE_BYTES} bytes each, and then over the digests of
 * the pieces, so that all processors can share the work.
 */
final class WeightsDigest {

    private static final long PIECE_BYTES = 4 << 20;

    private static final long MAX_VECTOR = 1 << 24; // what is longer is no norm or bias and is digested as it is

    private record Piece(Tensor tensor, long fromRow, long toRow) {}

    private final ModelMetadata metadata;

    private WeightsDigest(ModelMetadata metadata) {
        this.metadata = metadata;
    }

    static byte[] of(ModelFile model) {
        return new WeightsDigest(model.metadata()).digest(model);
    }

    private byte[] digest(ModelFile model) {
        List<Tensor> tensors = model.tensors().stream()
                .filter(tensor -> !tensor.name().equals("rope_freqs.weight"))
                .filter(tensor -> !isEmbeddingAgain(tensor, model))
                .sorted(Comparator.comparing(Tensor::name))
                .toList();
        List<Piece> pieces = new ArrayList<>();
        for (Tensor tensor : tensors) {
            long step = Math.max(1, PIECE_BYTES / Math.max(1, tensor.rowBytes()));
            for (long row = 0; row < tensor.rows(); row += step) {
                pieces.add(new Piece(tensor, row, Math.min(tensor.rows(), row + step)));
            }
        }
        List<byte[]> digests = pieces.parallelStream().map(this::digest).toList();
        LengthPrefixedDigest whole =
                new LengthPrefixedDigest().text("baton weights 1").number(tensors.size());
        for (int i = 0; i < pieces.size(); i++) {
            Tensor tensor = pieces.get(i).tensor();
            if (pieces.get(i).fromRow() == 0) {
                whole.text(tensor.name())
                        .text(isVector(tensor) ? "F32" : tensor.type().name());
                whole.number(tensor.shape().size());
                tensor.shape().forEach(whole::number);
            }
            whole.bytes(digests.get(i));
        }
        return whole.finish();
    }

    private static boolean isEmbeddingAgain(Tensor tensor, ModelFile model) {
        return tensor.name().equals("output.weight")
                && model.tensor("token_embd.weight")
                        .filter(embedding -> embedding.type() == tensor.type()
                                && embedding.shape().equals(tensor.shape())
                                && embedding.bytes().mismatch(tensor.bytes()) < 0)
                        .isPresent();
    }

    private byte[] digest(Piece piece) {
        Tensor tensor = piece.tensor();
        int headDim = permutedHeadDim(tensor);
        LengthPrefixedDigest digest = new LengthPrefixedDigest();
        if (isVector(tensor)) {
            return digest.raw(widened(tensor, headDim)).finish();
        }
        if (headDim == 0) {
            long start = piece.fromRow() * tensor.rowBytes();
            return digest.raw(tensor.bytes().asSlice(start, piece.toRow() * tensor.rowBytes() - start))
                    .finish();
        }
        for (long row = piece.fromRow(); row < piece.toRow(); row++) {
            digest.raw(tensor.row(adjacentRow(row, headDim)));
        }
        return digest.finish();
    }

    /** The head size whose rows must be reordered, or 0. */
    private int permutedHeadDim(Tensor tensor) {
        if (!isQueryOrKey(tensor.name()) || metadata.rope().pairs() == RopePairs.HALVES) {
            return 0;
        }
        int headDim = metadata.headDim();
        long rows = isVector(tensor) ? tensor.columns() : tensor.rows();
        return headDim % 2 == 0 && rows % headDim == 0 ? headDim : 0;
    }

    private static boolean isQueryOrKey(String name) {
        return name.endsWith(".attn_q.weight")
                || name.endsWith(".attn_k.weight")
                || name.endsWith(".attn_q.bias")
                || name.endsWith(".attn_k.bias");
    }

    /** Where a file with adjacent pairs keeps the row that stands at {@code row} when pairs are halves. */
    private static long adjacentRow(long row, int headDim) {
        long inHead = row % headDim;
        int half = headDim / 2;
        return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    }

    private static boolean isVector(Tensor tensor) {
        return tensor.shape().size() == 1
                && tensor.columns() <= MAX_VECTOR
                && (tensor.type() == TensorType.F32
                        || tensor.type() == TensorType.F16
                        || tensor.type() == TensorType.BF16);
    }

    private static MemorySegment widened(Tensor tensor, int headDim) {
        int length = Math.toIntExact(tensor.columns());
        byte[] bytes = new byte[Math.multiplyExact(length, Float.BYTES)];
        MemorySegment widened = MemorySegment.ofArray(bytes);
        for (int i = 0; i < length; i++) {
            long from = headDim == 0 ? i : adjacentRow(i, headDim);
            widened.set(KeyArray.FLOAT, (long) i * Float.BYTES, Elements.read(tensor, from));
        }
        return widened;
    }
}

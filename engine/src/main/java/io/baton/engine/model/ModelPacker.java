package io.baton.engine.model;

import io.baton.engine.ActivationMode;
import io.baton.engine.EngineException;
import io.baton.engine.LoadProgress;
import io.baton.engine.ModelShape;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;
import io.baton.engine.kernel.PanelWriter;
import io.baton.engine.memory.OffHeap;
import io.baton.engine.memory.PageMemory;
import io.baton.model.files.ModelFile;
import io.baton.model.files.RopePairs;
import io.baton.model.files.RopeParameters;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntUnaryOperator;

/**
 * Packs the weights of a Llama-family file into panels of sixteen rows, on the whole compute team. Query and key rows
 * are brought into one order, so that a model gives the same bits whichever format it came in.
 */
public final class ModelPacker {

    private static final IntUnaryOperator SAME_ROW = IntUnaryOperator.identity();

    /**
     * What a worker packs at a time: several huge pages, since two workers that first touch one together both wait for
     * it, and little enough for all to end at about the same time.
     */
    private static final long SHARE_BYTES = 8 << 20;

    private final ModelFile file;
    private final ModelShape shape;
    private final ActivationMode mode;
    private final ComputeTeam team;
    private final LoadProgress progress;
    private final Arena memory = Arena.ofShared();
    private final SegmentAllocator panels;
    private final long totalBytes;
    private final List<Share> shares = new ArrayList<>();

    private ModelPacker(ModelFile file, ActivationMode mode, ComputeTeam team, LoadProgress progress) {
        this.file = file;
        this.shape = LlamaFiles.shape(file);
        this.mode = mode;
        this.team = team;
        this.progress = progress;
        this.totalBytes = weightBytes(file, mode);
        this.panels = PageMemory.allocate(totalBytes, memory);
    }

    /** Packs a file that {@link LlamaFiles#check} accepts; the file may be closed afterwards. */
    public static PackedModel pack(ModelFile file, ActivationMode mode, ComputeTeam team, LoadProgress progress) {
        ModelPacker packer = new ModelPacker(file, mode, team, progress);
        try {
            return packer.model();
        } catch (RuntimeException e) {
            packer.memory.close();
            throw e;
        }
    }

    /** What packed matrices will take. */
    private static long weightBytes(ModelFile file, ActivationMode mode) {
        long bytes = 0;
        for (Tensor tensor : file.tensors()) {
            if (tensor.shape().size() >= 2) {
                int columns = Math.toIntExact(tensor.columns());
                bytes += OffHeap.aligned(
                        format(mode, tensor.type(), columns).matrixBytes(Math.toIntExact(tensor.rows()), columns));
            }
        }
        return bytes;
    }

    /** Everything a packed model will take off-heap. */
    public static long memoryBytes(ModelFile file, ActivationMode mode) {
        return weightBytes(file, mode)
                + RopeTable.bytes(file.metadata().rope(), file.metadata().contextLength());
    }

    private PackedModel model() {
        RopeParameters rope = file.metadata().rope();
        PackedMatrix embedding = matrix("token_embd.weight", shape.vocabularySize(), shape.dim(), SAME_ROW);
        List<LayerWeights> layers = new ArrayList<>();
        for (int i = 0; i < shape.layers(); i++) {
            layers.add(layer("blk." + i + ".", rope));
        }
        long finalNorm = vector("output_norm.weight");
        PackedMatrix head = file.metadata().tiedOutput()
                ? embedding
                : matrix("output.weight", shape.vocabularySize(), shape.dim(), SAME_ROW);
        RopeTable table = new RopeTable(rope, shape.contextLength(), memory);
        float epsilon = file.metadata().normEpsilon();
        packShares();
        return new PackedModel(shape, mode, epsilon, table, embedding, layers, finalNorm, head, memory);
    }

    private LayerWeights layer(String prefix, RopeParameters rope) {
        int dim = shape.dim();
        int queries = shape.heads() * shape.headDim();
        int keys = shape.kvHeads() * shape.headDim();
        IntUnaryOperator canonical = canonicalRow(rope, shape.headDim());
        return new LayerWeights(
                vector(prefix + "attn_norm.weight"),
                matrix(prefix + "attn_q.weight", queries, dim, canonical),
                matrix(prefix + "attn_k.weight", keys, dim, canonical),
                matrix(prefix + "attn_v.weight", keys, dim, SAME_ROW),
                matrix(prefix + "attn_output.weight", dim, queries, SAME_ROW),
                vector(prefix + "ffn_norm.weight"),
                matrix(prefix + "ffn_gate.weight", shape.hiddenDim(), dim, SAME_ROW),
                matrix(prefix + "ffn_up.weight", shape.hiddenDim(), dim, SAME_ROW),
                matrix(prefix + "ffn_down.weight", dim, shape.hiddenDim(), SAME_ROW));
    }

    /**
     * Which row of the file becomes a row of the canonical order, where a pair's halves are half the rotation apart.
     */
    static IntUnaryOperator canonicalRow(RopeParameters rope, int headDim) {
        int pairs = rope.dimensions() / 2;
        return rope.pairs() == RopePairs.HALVES
                ? SAME_ROW
                : row -> {
                    int inHead = row % headDim;
                    int source = inHead < pairs ? 2 * inHead : 2 * (inHead - pairs) + 1;
                    return inHead < 2 * pairs ? row - inHead + source : row;
                };
    }

    /** With q8 activations, blocks stay as they are and plain numbers become q8, where their rows have whole groups. */
    static MatrixFormat format(ActivationMode mode, TensorType type, int columns) {
        return switch (mode) {
            case F32 -> MatrixFormat.F32;
            case BF16 -> MatrixFormat.BF16;
            case Q8 ->
                TensorRows.quantised(type).orElse(MatrixFormat.Q8.takes(columns) ? MatrixFormat.Q8 : MatrixFormat.F32);
        };
    }

    private PackedMatrix matrix(String name, int rows, int columns, IntUnaryOperator sourceRow) {
        Tensor tensor = file.requireTensor(name);
        if (tensor.rows() != rows || tensor.columns() != columns) {
            throw new EngineException(
                    EngineException.Kind.UNSUPPORTED_MODEL,
                    "%s: %s has shape %s, expected [%d, %d]; convert the model again"
                            .formatted(file.path(), name, tensor.shape(), rows, columns));
        }
        PanelWriter writer = PanelWriter.of(format(mode, tensor.type(), columns), rows, columns, panels);
        PackedMatrix matrix = writer.matrix();
        int step = Math.toIntExact(Math.max(1, SHARE_BYTES / matrix.format().panelBytes(columns)));
        for (int first = 0; first < matrix.panelCount(); first += step) {
            shares.add(new Share(tensor, sourceRow, writer, first, Math.min(matrix.panelCount(), first + step)));
        }
        return matrix;
    }

    /** Packs everything. Workers take the next share when they are free: one that gets slow memory takes fewer. */
    private void packShares() {
        long weights = shares.stream().mapToLong(Share::weights).sum();
        AtomicLong packedBytes = new AtomicLong();
        AtomicInteger firstDamaged = new AtomicInteger(Integer.MAX_VALUE);
        team.forEach(shares.size(), weights, (index, worker) -> {
            Share share = shares.get(index);
            if (!share.pack()) {
                firstDamaged.accumulateAndGet(index, Math::min);
            }
            long done = packedBytes.addAndGet(share.bytes());
            if (worker == 0 && done < totalBytes) { // the thread that loads
                progress.packed(done, totalBytes);
            }
        });
        if (firstDamaged.get() < shares.size()) {
            throw new EngineException(
                    EngineException.Kind.UNSUPPORTED_MODEL,
                    "%s: %s holds a weight that is not finite, expected numbers; the file is damaged, fetch it again"
                            .formatted(
                                    file.path(),
                                    shares.get(firstDamaged.get()).tensor().name()));
        }
        progress.packed(totalBytes, totalBytes);
    }

    /** Panels of one matrix that one worker packs. */
    private record Share(Tensor tensor, IntUnaryOperator sourceRow, PanelWriter writer, int fromPanel, int toPanel) {

        long bytes() {
            return (toPanel - fromPanel)
                    * writer.matrix().format().panelBytes(writer.matrix().columns());
        }

        long weights() {
            return (long) (toPanel - fromPanel)
                    * MatrixFormat.PANEL_ROWS
                    * writer.matrix().columns();
        }

        /** Returns false if a weight is not finite; the panels are then undefined. */
        boolean pack() {
            TensorRows source = new TensorRows(tensor);
            int last = Math.min(writer.matrix().rows(), toPanel * MatrixFormat.PANEL_ROWS);
            for (int row = fromPanel * MatrixFormat.PANEL_ROWS; row < last; row++) {
                if (!source.write(sourceRow.applyAsInt(row), writer, row)) {
                    return false;
                }
            }
            return true;
        }
    }

    private long vector(String name) {
        Tensor tensor = file.requireTensor(name);
        if (tensor.elements() != shape.dim()) {
            throw new EngineException(
                    EngineException.Kind.UNSUPPORTED_MODEL,
                    "%s: %s has shape %s, expected [%d]; convert the model again"
                            .formatted(file.path(), name, tensor.shape(), shape.dim()));
        }
        float[] values = new float[shape.dim()];
        new TensorRows(tensor).read(0, values);
        long address = memory.allocate(OffHeap.rowBytes(shape.dim()), OffHeap.ALIGNMENT)
                .address();
        OffHeap.copy(values, values.length, address);
        return address;
    }
}

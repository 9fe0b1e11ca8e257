package io.baton.engine.model;

import io.baton.engine.ActivationMode;
import io.baton.engine.ModelShape;
import io.baton.engine.kernel.PackedMatrix;
import io.baton.engine.kernel.PanelWriter;
import io.baton.engine.memory.OffHeap;
import io.baton.model.files.RopePairs;
import io.baton.model.files.RopeParameters;
import io.baton.model.files.RopeScaling;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Models of any shape with weights drawn from a seed. */
public final class RandomModel {

    private final ModelShape shape;
    private final ActivationMode mode;
    private final Random random;
    private final List<TensorType> types; // of one matrix after the other
    private int matrices;
    private final Arena memory = Arena.ofShared();

    private RandomModel(ModelShape shape, ActivationMode mode, long seed, List<TensorType> types) {
        this.shape = shape;
        this.mode = mode;
        this.random = new Random(seed);
        this.types = types;
    }

    /** Wide enough for blocks of 256. */
    public static ModelShape wideShape() {
        return new ModelShape("wide", "llama", 2, 256, 256, 4, 2, 64, 100, 1024);
    }

    /** A model whose matrices are stored in all quantised types, in turn. */
    public static PackedModel mixed(ModelShape shape, ActivationMode mode, long seed) {
        List<TensorType> types = Arrays.stream(TensorType.values())
                .filter(type -> TensorRows.quantised(type).isPresent())
                .toList();
        return new RandomModel(shape, mode, seed, types).model();
    }

    /** The smallest shape that has everything: grouped heads, columns that q8 does not take, partial panels. */
    public static ModelShape smallShape() {
        return new ModelShape("small", "llama", 2, 64, 84, 4, 2, 16, 100, 1024);
    }

    /** Nothing is a multiple of anything. */
    public static ModelShape oddShape() {
        return new ModelShape("odd", "llama", 2, 39, 50, 3, 1, 13, 61, 700);
    }

    public static PackedModel of(ModelShape shape, ActivationMode mode, long seed) {
        return new RandomModel(shape, mode, seed, List.of(TensorType.F32)).model();
    }

    private PackedModel model() {
        int rotated = shape.headDim() / 2 * 2;
        RopeParameters rope =
                new RopeParameters(rotated, 10_000, RopePairs.HALVES, new RopeScaling.None(), new float[0]);
        PackedMatrix embedding = matrix(shape.vocabularySize(), shape.dim());
        List<LayerWeights> layers = new ArrayList<>();
        int queries = shape.heads() * shape.headDim();
        int keys = shape.kvHeads() * shape.headDim();
        for (int i = 0; i < shape.layers(); i++) {
            layers.add(new LayerWeights(
                    norm(),
                    matrix(queries, shape.dim()),
                    matrix(keys, shape.dim()),
                    matrix(keys, shape.dim()),
                    matrix(shape.dim(), queries),
                    norm(),
                    matrix(shape.hiddenDim(), shape.dim()),
                    matrix(shape.hiddenDim(), shape.dim()),
                    matrix(shape.dim(), shape.hiddenDim())));
        }
        RopeTable table = new RopeTable(rope, shape.contextLength(), memory);
        return new PackedModel(shape, mode, 1e-5f, table, embedding, layers, norm(), embedding, memory);
    }

    private PackedMatrix matrix(int rows, int columns) {
        TensorType type = types.get(matrices++ % types.size());
        float[] values = new float[rows * columns];
        float size = (float) (1.5 / Math.sqrt(columns));
        for (int i = 0; i < values.length; i++) {
            values[i] = size * (float) random.nextGaussian();
        }
        MemorySegment content = MemorySegment.ofArray(
                type == TensorType.F32 ? QuantisedModels.littleEndian(values) : TestingQuantiser.blocks(type, values));
        TensorRows source = new TensorRows(new Tensor("w", type, List.of((long) rows, (long) columns), content));
        PanelWriter writer = PanelWriter.of(ModelPacker.format(mode, type, columns), rows, columns, memory);
        for (int row = 0; row < rows; row++) {
            source.write(row, writer, row);
        }
        return writer.matrix();
    }

    private long norm() {
        float[] values = new float[shape.dim()];
        for (int i = 0; i < values.length; i++) {
            values[i] = 0.5f + random.nextFloat();
        }
        long address = memory.allocate(OffHeap.rowBytes(values.length), OffHeap.ALIGNMENT)
                .address();
        OffHeap.copy(values, values.length, address);
        return address;
    }
}

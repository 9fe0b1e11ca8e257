package io.baton.engine.model;

import io.baton.engine.ActivationMode;
import io.baton.engine.ModelShape;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;
import io.baton.engine.kernel.PanelWriter;
import io.baton.engine.memory.OffHeap;
import io.baton.model.files.RopePairs;
import io.baton.model.files.RopeParameters;
import io.baton.model.files.RopeScaling;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Models of any shape with weights drawn from a seed. */
public final class RandomModel {

    private final ModelShape shape;
    private final ActivationMode mode;
    private final Random random;
    private final Arena memory = Arena.ofShared();

    private RandomModel(ModelShape shape, ActivationMode mode, long seed) {
        this.shape = shape;
        this.mode = mode;
        this.random = new Random(seed);
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
        return new RandomModel(shape, mode, seed).model();
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
        MatrixFormat format = ModelPacker.format(mode, columns);
        PanelWriter writer = PanelWriter.of(format, rows, columns, memory);
        float[] values = new float[columns];
        float size = (float) (1.5 / Math.sqrt(columns));
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < columns; i++) {
                values[i] = size * (float) random.nextGaussian();
            }
            writer.floats(row, values);
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

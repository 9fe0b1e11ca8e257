package io.baton.bench;

import io.baton.engine.ModelShape;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;
import io.baton.engine.memory.OffHeap;
import io.baton.engine.model.LayerWeights;
import io.baton.engine.model.PackedModel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A Llama in double precision over the weights' exact values, token by token: what a computation without rounding would
 * give. Weights are a model packed in f32, which loses nothing of what a file holds.
 */
final class DoublePass {

    private final PackedModel model;
    private final ModelShape shape;
    private final List<List<double[]>> keys = new ArrayList<>(); // per layer, per position
    private final List<List<double[]>> values = new ArrayList<>();
    private int position;

    DoublePass(PackedModel model) {
        this.model = model;
        this.shape = model.shape();
        for (int layer = 0; layer < shape.layers(); layer++) {
            keys.add(new ArrayList<>());
            values.add(new ArrayList<>());
        }
    }

    /** The logits after one more token. */
    double[] next(int token) {
        double[] x = new double[shape.dim()];
        for (int i = 0; i < x.length; i++) {
            x[i] = weight(model.embedding(), token, i);
        }
        for (int layer = 0; layer < shape.layers(); layer++) {
            LayerWeights weights = model.layers().get(layer);
            double[] in = normed(x, weights.attentionNorm());
            double[] query = times(weights.query(), in);
            double[] key = times(weights.key(), in);
            rotate(query);
            rotate(key);
            keys.get(layer).add(key);
            values.get(layer).add(times(weights.value(), in));
            add(x, times(weights.output(), attention(query, layer)));
            double[] middle = normed(x, weights.feedForwardNorm());
            double[] gate = times(weights.gate(), middle);
            double[] up = times(weights.up(), middle);
            for (int i = 0; i < gate.length; i++) {
                gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
            }
            add(x, times(weights.down(), gate));
        }
        position++;
        return times(model.head(), normed(x, model.finalNorm()));
    }

    private double[] attention(double[] query, int layer) {
        int dim = shape.headDim();
        double[] out = new double[query.length];
        for (int head = 0; head < shape.heads(); head++) {
            int kvOffset = head / (shape.heads() / shape.kvHeads()) * dim;
            double[] weights = new double[position + 1];
            double highest = Double.NEGATIVE_INFINITY;
            for (int t = 0; t <= position; t++) {
                double score = 0;
                for (int d = 0; d < dim; d++) {
                    score += query[head * dim + d] * keys.get(layer).get(t)[kvOffset + d];
                }
                weights[t] = score / Math.sqrt(dim);
                highest = Math.max(highest, weights[t]);
            }
            double total = 0;
            for (int t = 0; t <= position; t++) {
                weights[t] = Math.exp(weights[t] - highest);
                total += weights[t];
            }
            for (int t = 0; t <= position; t++) {
                for (int d = 0; d < dim; d++) {
                    out[head * dim + d] +=
                            weights[t] / total * values.get(layer).get(t)[kvOffset + d];
                }
            }
        }
        return out;
    }

    private void rotate(double[] heads) {
        int pairs = model.rope().pairs();
        long turn = model.rope().turn(position);
        for (int head = 0; head < heads.length; head += shape.headDim()) {
            for (int i = 0; i < pairs; i++) {
                double cos = OffHeap.f32(turn + (long) i * Float.BYTES);
                double sin = OffHeap.f32(turn + (long) (pairs + i) * Float.BYTES);
                double low = heads[head + i];
                double high = heads[head + pairs + i];
                heads[head + i] = low * cos - high * sin;
                heads[head + pairs + i] = high * cos + low * sin;
            }
        }
    }

    private double[] normed(double[] x, long weight) {
        double sum = 0;
        for (double value : x) {
            sum += value * value;
        }
        double scale = 1 / Math.sqrt(sum / x.length + model.normEpsilon());
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = x[i] * scale * OffHeap.f32(weight + (long) i * Float.BYTES);
        }
        return out;
    }

    private static double[] times(PackedMatrix matrix, double[] x) {
        double[] y = new double[matrix.rows()];
        IntStream.range(0, matrix.panelCount()).parallel().forEach(panel -> {
            double[] sums = new double[MatrixFormat.PANEL_ROWS];
            long next = matrix.panel(panel);
            for (double value : x) {
                for (int lane = 0; lane < sums.length; lane++, next += Float.BYTES) {
                    sums[lane] += value * OffHeap.f32(next);
                }
            }
            int first = panel * MatrixFormat.PANEL_ROWS;
            System.arraycopy(sums, 0, y, first, Math.min(sums.length, y.length - first));
        });
        return y;
    }

    private static double weight(PackedMatrix matrix, int row, int column) {
        long panel = matrix.panel(row / MatrixFormat.PANEL_ROWS);
        long inPanel = (long) column * MatrixFormat.PANEL_ROWS + row % MatrixFormat.PANEL_ROWS;
        return OffHeap.f32(panel + inPanel * Float.BYTES);
    }

    private static void add(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
    }
}

package io.baton.engine.model;

import io.baton.engine.ModelShape;
import io.baton.model.files.ModelFile;
import io.baton.model.files.RopePairs;
import io.baton.model.files.RopeParameters;
import io.baton.model.files.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A Llama in double precision, straight from a file's values, token by token: the plainest thing to compare with. */
public final class DoubleReference {

    private final ModelFile file;
    private final ModelShape shape;
    private final RopeParameters rope;
    private final Map<String, double[][]> tensors = new HashMap<>();
    private final List<List<double[]>> keys = new ArrayList<>(); // per layer, per position
    private final List<List<double[]>> values = new ArrayList<>();
    private int position;

    public DoubleReference(ModelFile file) {
        this.file = file;
        this.shape = LlamaFiles.shape(file);
        this.rope = file.metadata().rope();
        for (int layer = 0; layer < shape.layers(); layer++) {
            keys.add(new ArrayList<>());
            values.add(new ArrayList<>());
        }
    }

    /** The logits after one more token. */
    public double[] next(int token) {
        double[] x = matrix("token_embd.weight")[token].clone();
        for (int layer = 0; layer < shape.layers(); layer++) {
            String block = "blk." + layer + ".";
            double[] in = normed(x, block + "attn_norm.weight");
            double[] q = times(block + "attn_q.weight", in);
            double[] k = times(block + "attn_k.weight", in);
            rotate(q);
            rotate(k);
            keys.get(layer).add(k);
            values.get(layer).add(times(block + "attn_v.weight", in));
            add(x, times(block + "attn_output.weight", attention(q, layer)));
            double[] middle = normed(x, block + "ffn_norm.weight");
            double[] gate = times(block + "ffn_gate.weight", middle);
            double[] up = times(block + "ffn_up.weight", middle);
            for (int i = 0; i < gate.length; i++) {
                gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
            }
            add(x, times(block + "ffn_down.weight", gate));
        }
        position++;
        String head = file.metadata().tiedOutput() ? "token_embd.weight" : "output.weight";
        return times(head, normed(x, "output_norm.weight"));
    }

    private double[] attention(double[] q, int layer) {
        int dim = shape.headDim();
        double[] out = new double[q.length];
        for (int head = 0; head < shape.heads(); head++) {
            int kvOffset = head / (shape.heads() / shape.kvHeads()) * dim;
            double[] weights = new double[position + 1];
            double total = 0;
            for (int t = 0; t <= position; t++) {
                double score = 0;
                for (int d = 0; d < dim; d++) {
                    score += q[head * dim + d] * keys.get(layer).get(t)[kvOffset + d];
                }
                weights[t] = Math.exp(score / Math.sqrt(dim));
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
        int pairs = rope.dimensions() / 2;
        for (int head = 0; head < heads.length; head += shape.headDim()) {
            for (int i = 0; i < pairs; i++) {
                int low = head + (rope.pairs() == RopePairs.ADJACENT ? 2 * i : i);
                int high = rope.pairs() == RopePairs.ADJACENT ? low + 1 : low + pairs;
                double angle = position * Math.pow(rope.base(), -2.0 * i / rope.dimensions());
                double turned = heads[low] * Math.cos(angle) - heads[high] * Math.sin(angle);
                heads[high] = heads[high] * Math.cos(angle) + heads[low] * Math.sin(angle);
                heads[low] = turned;
            }
        }
    }

    private double[] normed(double[] x, String weight) {
        double sum = 0;
        for (double value : x) {
            sum += value * value;
        }
        double scale = 1 / Math.sqrt(sum / x.length + file.metadata().normEpsilon());
        double[] out = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            out[i] = x[i] * scale * matrix(weight)[0][i];
        }
        return out;
    }

    private double[] times(String name, double[] x) {
        double[][] matrix = matrix(name);
        double[] y = new double[matrix.length];
        for (int row = 0; row < y.length; row++) {
            for (int i = 0; i < x.length; i++) {
                y[row] += matrix[row][i] * x[i];
            }
        }
        return y;
    }

    private static void add(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
    }

    private double[][] matrix(String name) {
        return tensors.computeIfAbsent(name, n -> {
            Tensor tensor = file.requireTensor(n);
            float[] row = new float[(int) tensor.columns()];
            double[][] rows = new double[(int) tensor.rows()][row.length];
            for (int r = 0; r < rows.length; r++) {
                new TensorRows(tensor).read(r, row);
                for (int i = 0; i < row.length; i++) {
                    rows[r][i] = row[i];
                }
            }
            return rows;
        });
    }
}

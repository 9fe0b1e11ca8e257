package io.baton.engine.forward;

import io.baton.engine.ModelShape;
import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.KvRows;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.kernel.PackedMatrix;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.OffHeap;
import io.baton.engine.model.LayerWeights;
import io.baton.engine.model.PackedModel;

/**
 * Runs a batch of token rows through a Llama-family model, appending K and V to the pool through block tables. What a
 * row gives depends on its sequence alone: not on the other rows, nor on how the sequence was cut into passes or
 * blocks.
 *
 * <p>Belongs to one thread. It takes the compute team's turn for each pass, so passes of several engines alternate.
 */
public final class ForwardPass implements AutoCloseable {

    /** A row stage takes about as long per value as this many multiply-adds. */
    private static final int ROW_WORK = 4;

    private final Kernels kernels;
    private final PackedModel model;
    private final ModelShape shape;
    private final KvPool pool;
    private final ComputeTeam team;
    private final int maxRows;
    private final Activations memory;
    private final ProductStage products;
    private final AttentionTiles tiles;
    private final boolean[] finite;

    // The stages, made once: a pass allocates nothing per layer.
    private final ComputeTeam.Task embed = this::embed;
    private final ComputeTeam.Task attentionInput = this::attentionInput;
    private final ComputeTeam.Task rotateAndStore = this::rotateAndStore;
    private final ComputeTeam.Task attend = this::attend;
    private final ComputeTeam.Task attentionOutput = this::attentionOutput;
    private final ComputeTeam.Task feedForwardInput = this::feedForwardInput;
    private final ComputeTeam.Task gate = this::gate;
    private final ComputeTeam.Task finish = this::finish;
    private final Runnable pass = this::pass;
    private final Runnable head = this::head;

    private Batch batch;
    private LayerListener listener = LayerListener.NONE;
    private int layer;
    private LayerWeights weights;

    // Rows of a call of logits.
    private float[][] headInputs = {};
    private float[][] headOutputs = {};
    private int headFrom;
    private int headRows;

    /** @param maxRows rows of the largest batch */
    public ForwardPass(Kernels kernels, PackedModel model, KvPool pool, ComputeTeam team, int maxRows) {
        this.kernels = kernels;
        this.model = model;
        this.shape = model.shape();
        this.pool = pool;
        this.team = team;
        this.maxRows = maxRows;
        this.memory = new Activations(model, kernels, team.threads(), maxRows);
        this.products = new ProductStage(kernels, memory);
        this.tiles = new AttentionTiles(shape.heads() / shape.kvHeads());
        this.finite = new boolean[maxRows];
        this.batch = new Batch(0);
        this.weights = model.layers().getFirst();
    }

    /** What a pass over batches of {@code maxRows} takes off-heap. */
    public static long bytes(Kernels kernels, PackedModel model, int threads, int maxRows) {
        return Activations.bytes(model, kernels, threads, maxRows);
    }

    /**
     * Computes the batch. Afterwards {@link #finite} and {@link #hidden} answer for its entries, until the next run.
     */
    public void run(Batch batch, LayerListener listener) {
        check(batch);
        this.batch = batch;
        this.listener = listener;
        team.exclusively(pass);
    }

    private void pass() {
        tiles.cut(batch);
        rows(embed);
        for (layer = 0; layer < shape.layers(); layer++) {
            weights = model.layers().get(layer);
            rows(attentionInput);
            products.over(batch.rows())
                    .with(weights.query(), memory.query, memory.queryStride)
                    .with(weights.key(), memory.key, memory.keyStride)
                    .with(weights.value(), memory.value, memory.keyStride)
                    .run(team);
            rows(rotateAndStore);
            listener.layerFinished(layer);
            team.forEach(tiles.count() * shape.kvHeads(), tiles.keys() * 2 * shape.heads() * shape.headDim(), attend);
            rows(attentionOutput);
            products.over(batch.rows())
                    .with(weights.output(), memory.delta, memory.dimStride)
                    .run(team);
            rows(feedForwardInput);
            products.over(batch.rows())
                    .with(weights.gate(), memory.gate, memory.hiddenStride)
                    .with(weights.up(), memory.up, memory.hiddenStride)
                    .run(team);
            rows(gate);
            products.over(batch.rows())
                    .with(weights.down(), memory.delta, memory.dimStride)
                    .run(team);
        }
        rows(finish);
    }

    private void rows(ComputeTeam.Task stage) {
        team.forEach(batch.rows(), (long) batch.rows() * shape.hiddenDim() * ROW_WORK, stage);
    }

    private void embed(int row, int worker) {
        kernels.row(model.embedding(), batch.token(row), memory.residual + row * memory.dimStride);
        finite[row] = true;
    }

    private void attentionInput(int row, int worker) {
        if (layer > 0) {
            addDelta(row);
        }
        normalize(row, weights.attentionNorm());
        round(row, memory.delta, memory.dimStride, weights.query());
    }

    private void rotateAndStore(int row, int worker) {
        int position = batch.position(row);
        long turn = model.rope().turn(position);
        long query = memory.query + row * memory.queryStride;
        long key = memory.key + row * memory.keyStride;
        rotate(query, shape.heads(), turn);
        rotate(key, shape.kvHeads(), turn);
        int blockTokens = pool.layout().blockTokens();
        int block = batch.blockTable(batch.entryOf(row))[position / blockTokens];
        KvRows.store(pool, layer, block, position % blockTokens, key, memory.value + row * memory.keyStride);
    }

    private void rotate(long heads, int count, long turn) {
        for (int head = 0; head < count; head++) {
            kernels.rotate(
                    heads + (long) head * shape.headDim() * Float.BYTES,
                    turn,
                    model.rope().pairs());
        }
    }

    private void attend(int task, int worker) {
        int tile = tiles.count() - 1 - task / shape.kvHeads(); // late tokens, which see most keys, first
        int kvHead = task % shape.kvHeads();
        int entry = tiles.entry(tile);
        int row = batch.firstRow(entry) + tiles.firstToken(tile);
        int group = shape.heads() / shape.kvHeads();
        long heads = row * memory.queryStride + (long) kvHead * group * shape.headDim() * Float.BYTES;
        kernels.attend(
                pool,
                layer,
                batch.blockTable(entry),
                kvHead,
                batch.position(row),
                tiles.tokens(tile, batch),
                group,
                memory.query + heads,
                memory.queryStride,
                memory.mixed + heads,
                memory.queryStride,
                memory.scratch(worker));
    }

    private void attentionOutput(int row, int worker) {
        round(row, memory.mixed, memory.queryStride, weights.output());
    }

    private void feedForwardInput(int row, int worker) {
        addDelta(row);
        normalize(row, weights.feedForwardNorm());
        round(row, memory.delta, memory.dimStride, weights.gate());
    }

    private void gate(int row, int worker) {
        long gate = memory.gate + row * memory.hiddenStride;
        kernels.gate(gate, memory.up + row * memory.hiddenStride, shape.hiddenDim());
        round(row, memory.gate, memory.hiddenStride, weights.down());
    }

    private void finish(int row, int worker) {
        addDelta(row);
        normalize(row, model.finalNorm());
    }

    private void addDelta(int row) {
        long residual = memory.residual + row * memory.dimStride;
        kernels.add(residual, memory.delta + row * memory.dimStride, shape.dim());
    }

    /**
     * Normalises the residual into delta. A value that is not finite stays in the residual, so the last norm sees it
     * too.
     */
    private void normalize(int row, long weight) {
        long residual = memory.residual + row * memory.dimStride;
        float sum = kernels.sumOfSquares(residual, shape.dim());
        if (!Float.isFinite(sum)) {
            finite[row] = false;
        }
        kernels.normalize(
                residual, weight, shape.dim(), sum, model.normEpsilon(), memory.delta + row * memory.dimStride);
    }

    private void round(int row, long input, long stride, PackedMatrix matrix) {
        MatrixFormat format = matrix.format();
        long rounded = memory.rounded + row * kernels.roundedBytes(format, matrix.columns());
        kernels.round(format, input + row * stride, matrix.columns(), rounded);
    }

    /**
     * Whether every activation of the entry's rows was finite. If not, its sequence must end: its hidden state means
     * nothing and its blocks must not be shared. Other entries are not affected.
     */
    public boolean finite(int entry) {
        for (int row = batch.firstRow(entry); row <= batch.lastRow(entry); row++) {
            if (!finite[row]) {
                return false;
            }
        }
        return true;
    }

    /** Copies the final-norm state of the last row of an entry that wanted it, {@code [dim]}. */
    public void hidden(int entry, float[] out) {
        if (!batch.wantHidden(entry)) {
            throw new IllegalStateException("entry " + entry + " was added without wanting its hidden state");
        }
        OffHeap.copy(memory.delta + batch.lastRow(entry) * memory.dimStride, out, shape.dim());
    }

    /**
     * The logits of several final-norm states, {@code [dim]} each; reads the output matrix once for up to sixteen of
     * them.
     *
     * @param out {@code count} rows of {@code [vocabulary]}
     */
    public void logits(float[][] hidden, int count, float[][] out) {
        headInputs = hidden;
        headOutputs = out;
        for (headFrom = 0; headFrom < count; headFrom += Activations.LOGIT_ROWS) {
            headRows = Math.min(Activations.LOGIT_ROWS, count - headFrom);
            team.exclusively(head);
        }
    }

    private void head() {
        PackedMatrix head = model.head();
        long roundedBytes = kernels.roundedBytes(head.format(), head.columns());
        for (int i = 0; i < headRows; i++) {
            OffHeap.copy(headInputs[headFrom + i], shape.dim(), memory.headInput);
            kernels.round(head.format(), memory.headInput, head.columns(), memory.rounded + i * roundedBytes);
        }
        products.over(headRows).with(head, memory.logits, memory.logitStride).run(team);
        for (int i = 0; i < headRows; i++) {
            OffHeap.copy(memory.logits + i * memory.logitStride, headOutputs[headFrom + i], shape.vocabularySize());
        }
    }

    private void check(Batch batch) {
        if (batch.rows() > maxRows) {
            throw new IllegalArgumentException("%d rows, at most %d fit".formatted(batch.rows(), maxRows));
        }
        for (int row = 0; row < batch.rows(); row++) {
            if (batch.token(row) < 0 || batch.token(row) >= shape.vocabularySize()) {
                throw new IllegalArgumentException(
                        "token %d of a vocabulary of %d".formatted(batch.token(row), shape.vocabularySize()));
            }
        }
        for (int entry = 0; entry < batch.entries(); entry++) {
            int end = batch.position(batch.lastRow(entry)) + 1;
            int covered = batch.blockTable(entry).length * pool.layout().blockTokens();
            if (end > covered || end > shape.contextLength()) {
                throw new IllegalArgumentException("positions up to %d; blocks cover %d, the model %d"
                        .formatted(end, covered, shape.contextLength()));
            }
        }
    }

    /** Frees the activations; the pool stays. */
    @Override
    public void close() {
        memory.close();
    }
}

package io.baton.engine;

import io.baton.engine.compute.ComputeTeam;
import io.baton.engine.forward.ForwardPass;
import io.baton.engine.kernel.KernelProvider;
import io.baton.engine.kernel.Kernels;
import io.baton.engine.kernel.MatrixFormat;
import io.baton.engine.memory.KvLayout;
import io.baton.engine.memory.KvPool;
import io.baton.engine.memory.MemoryBudget;
import io.baton.engine.memory.MemoryLimit;
import io.baton.engine.model.LlamaFiles;
import io.baton.engine.model.ModelPacker;
import io.baton.engine.model.PackedModel;
import io.baton.model.files.ModelFile;
import java.nio.file.Path;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all engines of a process share: one set of packed weights, one compute team, one memory budget. Thread-safe; closed
 * after its engines.
 */
public final class EngineHost implements AutoCloseable {

    /** Raised whenever any bit of any result may change. */
    public static final int ARITHMETIC_REVISION = 1;

    private static final Logger log = LoggerFactory.getLogger(EngineHost.class);

    private final PackedModel model;
    private final Kernels kernels;
    private final ComputeTeam team;
    private final MemoryBudget budget;
    private final byte[] weightsDigest;
    private final byte[] tokenizerDigest;
    private final String rope;

    private EngineHost(
            PackedModel model, Kernels kernels, ComputeTeam team, MemoryBudget budget, ModelFile file) {
        this.model = model;
        this.kernels = kernels;
        this.team = team;
        this.budget = budget;
        this.weightsDigest = file.weightsDigest();
        this.tokenizerDigest = file.tokenizerDigest();
        this.rope = file.metadata().rope().describe();
    }

    /**
     * Loads and packs a model; takes as long as reading the file.
     *
     * @throws EngineException when the model cannot be served or does not fit into memory
     * @throws io.baton.model.files.ModelFileException when the file cannot be read
     */
    public static EngineHost open(Path model, HostOptions options, LoadProgress progress) {
        Kernels kernels = KernelProvider.of(options.kernels());
        MemoryBudget budget = MemoryBudget.under(
                options.memoryLimit().isPresent()
                        ? new MemoryLimit(options.memoryLimit().getAsLong(), "as told")
                        : MemoryLimit.detect());
        ComputeTeam team = ComputeTeam.of(options.threads());
        try (ModelFile file = ModelFile.open(model)) {
            LlamaFiles.check(file);
            ActivationMode mode = options.activations().orElseGet(() -> LlamaFiles.defaultMode(file));
            budget.reserve("weights", ModelPacker.memoryBytes(file, mode));
            PackedModel packed = ModelPacker.pack(file, mode, team, progress);
            EngineHost host = new EngineHost(packed, kernels, team, budget, file);
            log.info(
                    "{}: {} activations, {} kernels on {} threads; {}",
                    packed.shape(),
                    mode.name().toLowerCase(Locale.ROOT),
                    kernels.name(),
                    team.threads(),
                    budget.report());
            return host;
        } catch (RuntimeException e) {
            team.close();
            throw e;
        }
    }

    public ModelShape shape() {
        return model.shape();
    }

    /** Which function engines with this KV type compute. */
    public Numerics numerics(KvType kv) {
        String weights = MatrixFormat.valueOf(model.activations().name()).name().toLowerCase(Locale.ROOT);
        return new Numerics(weights, model.activations(), kv);
    }

    /** SHA-256 of the weights. */
    public byte[] weightsDigest() {
        return weightsDigest.clone();
    }

    /** SHA-256 of the vocabulary. */
    public byte[] tokenizerDigest() {
        return tokenizerDigest.clone();
    }

    /** The rotary embedding's parameters, as they go into the fingerprint. */
    public String rope() {
        return rope;
    }

    /** Every pool, staging area or pass reserves here before it allocates. */
    public MemoryBudget budget() {
        return budget;
    }

    /** How a pool of this model's K and V is laid out. */
    public KvLayout kvLayout(KvType type, int blockTokens) {
        return new KvLayout(type, blockTokens, shape().kvHeads(), shape().headDim());
    }

    /** Bytes that {@link #forwardPass} allocates. */
    public long forwardPassBytes(int maxRows) {
        return ForwardPass.bytes(kernels, model, team.threads(), maxRows);
    }

    /** A pass of its own for one engine, on the shared weights and team. */
    public ForwardPass forwardPass(KvPool pool, int maxRows) {
        return new ForwardPass(kernels, model, pool, team, maxRows);
    }

    @Override
    public void close() {
        team.close();
        model.close();
    }
}

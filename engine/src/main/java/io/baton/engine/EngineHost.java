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
import io.baton.engine.schedule.EngineScheduler;
import io.baton.engine.schedule.PassRunner;
import io.baton.kv.SequenceFingerprint;
import io.baton.model.files.ModelFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all engines of a process share: one set of packed weights, one compute team, one memory budget. Thread-safe;
 * closed after its engines.
 */
public final class EngineHost implements AutoCloseable {

    /** Raised whenever any bit of any result may change. */
    public static final int ARITHMETIC_REVISION = 1;

    private static final long WARM_UP_NANOS = 5_000_000_000L;
    private static final String BACKEND = "cpu";
    private static final String NO_ADAPTER = "";

    private static final Logger log = LoggerFactory.getLogger(EngineHost.class);

    private final PackedModel model;
    private final Kernels kernels;
    private final ComputeTeam team;
    private final MemoryBudget budget;
    private final byte[] weightsDigest;
    private final byte[] tokenizerDigest;
    private final String rope;

    private EngineHost(PackedModel model, Kernels kernels, ComputeTeam team, MemoryBudget budget, ModelFile file) {
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
        try (ModelFile file = ModelFile.open(model)) {
            return open(file, options, progress);
        }
    }

    /**
     * The same for a file that is open already; it may be closed afterwards.
     *
     * @throws EngineException when the model cannot be served or does not fit into memory
     */
    public static EngineHost open(ModelFile file, HostOptions options, LoadProgress progress) {
        KernelProvider.Choice choice = KernelProvider.choose(options.kernels());
        Kernels kernels = choice.kernels();
        MemoryBudget budget = MemoryBudget.under(
                options.memoryLimit().isPresent()
                        ? new MemoryLimit(options.memoryLimit().getAsLong(), "as told")
                        : MemoryLimit.detect());
        ComputeTeam team = ComputeTeam.of(options.threads());
        try {
            LlamaFiles.check(file);
            ActivationMode mode = options.activations().orElseGet(() -> LlamaFiles.defaultMode(file));
            budget.reserve("weights", ModelPacker.memoryBytes(file, mode));
            PackedModel packed = ModelPacker.pack(file, mode, team, progress);
            kernels.warmUp(System::nanoTime, WARM_UP_NANOS);
            EngineHost host = new EngineHost(packed, kernels, team, budget, file);
            System.gc(); // what loading left in the heap goes back to the system, once and before anyone waits
            log.info(
                    "{}: {} activations, {} kernels ({}; --kernels changes it) on {} threads; {}",
                    packed.shape(),
                    mode.name().toLowerCase(Locale.ROOT),
                    kernels.name(),
                    choice.why(),
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

    /** Bytes of weights that one decode step reads, head included. */
    public long stepWeightBytes() {
        return model.stepBytes();
    }

    /** Which kernels compute; for people, since all give the same bits. */
    public String kernelsName() {
        return kernels.name();
    }

    /** Which function engines with this KV type compute. */
    public Numerics numerics(KvType kv) {
        String weights = model.formats().stream().map(MatrixFormat::label).collect(Collectors.joining("+"));
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

    /**
     * Starts an engine: allocates its pool and activations, within the budget, and its scheduler thread.
     *
     * @param name names it in logs, threads and the memory report
     * @throws EngineException when it does not fit into memory
     */
    public Engine start(String name, EngineOptions options) {
        KvLayout layout = kvLayout(options.kvType(), options.blockTokens());
        int maxRows = EngineScheduler.maxRows(options);
        List<MemoryBudget.Reservation> reservations = new ArrayList<>();
        try {
            reservations.add(budget.reserve("activations of " + name, forwardPassBytes(maxRows)));
            int blocks = poolBlocks(layout, options);
            long poolBytes = KvPool.bytes(layout, shape().layers(), blocks);
            reservations.add(budget.reserve("KV pool of " + name, poolBytes));
            log.info("engine {}: {} blocks of {} tokens; {}", name, blocks, options.blockTokens(), budget.report());
            KvPool pool = KvPool.allocate(layout, shape().layers(), blocks);
            PassRunner runner = new PassRunner(forwardPass(pool, maxRows), pool, maxRows, reservations);
            return EngineScheduler.start(name, shape(), fingerprint(layout), options, runner, System::nanoTime);
        } catch (RuntimeException e) {
            reservations.forEach(MemoryBudget.Reservation::close);
            throw e;
        }
    }

    /**
     * What {@link #start} would make with these options now, without making it.
     *
     * @throws EngineException when it does not fit into memory
     */
    public EnginePlan plan(EngineOptions options) {
        KvLayout layout = kvLayout(options.kvType(), options.blockTokens());
        long passBytes = forwardPassBytes(EngineScheduler.maxRows(options));
        try (var _ = budget.reserve("activations", passBytes)) {
            int blocks = poolBlocks(layout, options);
            try (var _ = budget.reserve("KV pool", KvPool.bytes(layout, shape().layers(), blocks))) {
                return new EnginePlan(
                        blocks, layout.unitBytes() * shape().layers(), fingerprint(layout), budget.report());
            }
        }
    }

    /**
     * As many blocks as told; else what the sequences that may run at once could ever use, and as much again for the
     * prefix cache, but no more than half of what is left, so that another engine of the process finds room.
     */
    private int poolBlocks(KvLayout layout, EngineOptions options) {
        long blockBytes = layout.unitBytes() * shape().layers();
        long useful = 2L * options.maxSequences() * Math.ceilDiv(shape().contextLength(), layout.blockTokens());
        long blocks = options.poolBytes().isPresent()
                ? options.poolBytes().getAsLong() / blockBytes
                : Math.min(useful, budget.remaining() / 2 / blockBytes);
        if (blocks < 1 || blocks > Integer.MAX_VALUE) {
            throw new EngineException(
                    EngineException.Kind.RESOURCE_EXHAUSTED,
                    "the KV pool would have %d blocks of %,d bytes, expected 1 to %d; change pool-bytes. %s"
                            .formatted(blocks, blockBytes, Integer.MAX_VALUE, budget.report()));
        }
        return (int) blocks;
    }

    private SequenceFingerprint fingerprint(KvLayout layout) {
        return new SequenceFingerprint(
                weightsDigest,
                NO_ADAPTER,
                numerics(layout.type()).toString(),
                ARITHMETIC_REVISION,
                BACKEND,
                layout.blockTokens(),
                layout.describe(),
                rope,
                tokenizerDigest);
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

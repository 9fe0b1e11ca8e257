package io.baton.decode;

import io.baton.engine.CacheListener;
import io.baton.engine.Engine;
import io.baton.engine.EngineException;
import io.baton.engine.EngineLoad;
import io.baton.engine.EngineOptions;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationListener;
import io.baton.engine.GenerationRequest;
import io.baton.engine.KvType;
import io.baton.engine.ModelShape;
import io.baton.engine.PrefillHandle;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillRequest;
import io.baton.kv.SequenceFingerprint;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;

/**
 * An engine that keeps the contract and computes nothing: the tokens come from a script, blocks are counted and their
 * memory is real. One scheduler thread, as in the real one.
 */
final class ScriptedEngine implements Engine {

    static final int BLOCK_TOKENS = 16;
    static final int LAYERS = 3;
    static final int DIM = 8;
    static final long UNIT_BYTES = 4096;
    static final ModelShape SHAPE = new ModelShape("scripted", "llama", LAYERS, DIM, 16, 2, 2, 4, 1000, 512);
    static final SequenceFingerprint FINGERPRINT = new SequenceFingerprint(
            new byte[32],
            "",
            "weights=f32,activations=f32,kv=f32",
            1,
            "cpu",
            BLOCK_TOKENS,
            "layer,block,head;panels16",
            "base=10000",
            new byte[32]);

    final ExecutorService scheduler = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("scripted-engine").factory());
    final List<ScriptedSequence> sequences = new CopyOnWriteArrayList<>(); // every one ever admitted
    private final List<CacheListener> cacheListeners = new ArrayList<>(); // scheduler thread
    private final EngineOptions options = new EngineOptions(BLOCK_TOKENS, KvType.F32, 32, OptionalLong.empty(), 8, 8);

    /** Output token by index, of every choice. */
    volatile IntUnaryOperator tokens = index -> 100 + index;
    /** Output token by choice and index. */
    volatile IntBinaryOperator choiceTokens = (choice, index) -> tokens.applyAsInt(index);
    /** Blocks found in the node's own cache. */
    volatile int cachedBlocks;
    /** Sequences are queued but not admitted while this is false. */
    volatile boolean admitting = true;
    /** Local prefill ends by itself when true, else never. */
    volatile boolean prefilling = true;
    /** Blocks that are asked for are handed out when true, else never. */
    volatile boolean takesBlocks = true;

    int stepsAllowed = Integer.MAX_VALUE; // scheduler thread
    int capacity = 64; // scheduler thread
    int used; // scheduler thread

    @Override
    public SequenceFingerprint fingerprint() {
        return FINGERPRINT;
    }

    @Override
    public ModelShape shape() {
        return SHAPE;
    }

    @Override
    public EngineOptions options() {
        return options;
    }

    @Override
    public long unitBytes() {
        return UNIT_BYTES;
    }

    @Override
    public PrefillHandle prefill(PrefillRequest request, PrefillListener listener) {
        throw new UnsupportedOperationException("a decode node asks its engine for no bare prefill");
    }

    @Override
    public GenerationHandle generate(GenerationRequest request, GenerationListener listener) {
        ScriptedSequence sequence = new ScriptedSequence(this, request, listener);
        scheduler.execute(() -> {
            if (sequence.blocks() > capacity) {
                listener.failed(new EngineException(
                        EngineException.Kind.RESOURCE_EXHAUSTED, "needs more blocks than the pool has"));
                return;
            }
            sequences.add(sequence);
            sequence.tryAdmit();
        });
        return sequence;
    }

    /** Lets waiting sequences in, or lets prefill end, after a switch above was turned. */
    void resume() {
        scheduler.execute(() -> sequences.forEach(ScriptedSequence::resume));
    }

    /** From now on the sequences run this many steps, all together, and then pause. */
    void allowSteps(int steps) {
        scheduler.execute(() -> {
            stepsAllowed = steps;
            sequences.forEach(ScriptedSequence::resume);
        });
    }

    @Override
    public EngineLoad load() {
        return new EngineLoad(0, 0, 0, capacity, capacity - used, 0, used, 1_000, 1_000);
    }

    @Override
    public void watchCache(CacheListener listener) {
        scheduler.execute(() -> {
            cacheListeners.add(listener);
            listener.stored(List.of());
        });
    }

    @Override
    public void unwatchCache(CacheListener listener) {
        scheduler.execute(() -> cacheListeners.remove(listener));
    }

    /** Blocks are held by sequences that have not ended, and by leases that are still open, and by nobody else. */
    @Override
    public void checkInvariants() {
        CompletableFuture.runAsync(
                        () -> {
                            int held = sequences.stream()
                                    .mapToInt(ScriptedSequence::heldBlocks)
                                    .sum();
                            if (held != used) {
                                throw new IllegalStateException(
                                        "sequences hold %d blocks, the pool counts %d".formatted(held, used));
                            }
                        },
                        scheduler)
                .join();
    }

    /** Blocks in use now. */
    int usedNow() {
        return CompletableFuture.supplyAsync(() -> used, scheduler).join();
    }

    /** Ends every sequence; the thread stays for what still has to be given back, and is a daemon. */
    @Override
    public void close() {
        sequences.forEach(sequence -> sequence.cancel(EngineException.Kind.UNAVAILABLE, "the engine is shutting down"));
    }
}

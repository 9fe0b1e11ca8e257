package io.baton.prefill;

import io.baton.engine.CacheListener;
import io.baton.engine.Engine;
import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.engine.EngineLoad;
import io.baton.engine.EngineOptions;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationListener;
import io.baton.engine.GenerationRequest;
import io.baton.engine.KvType;
import io.baton.engine.KvUnits;
import io.baton.engine.ModelShape;
import io.baton.engine.PrefillHandle;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillRequest;
import io.baton.engine.PrefillTimes;
import io.baton.kv.BlockKey;
import io.baton.kv.SequenceFingerprint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * An engine that keeps the contract of prefills and computes nothing: a unit's bytes are a function of layer, position
 * and token. One scheduler thread runs one prefill at a time, as many chunks as it has permits for. A prefill's memory
 * is unmapped when it is released, so that whoever reads it later fails.
 */
final class ScriptedEngine implements Engine {

    static final int BLOCK_TOKENS = 16;
    static final int CHUNK_TOKENS = 24;
    static final int LAYERS = 3;
    static final int DIM = 8;
    static final int BYTES_PER_TOKEN = 256;
    static final ModelShape SHAPE = new ModelShape("scripted", "llama", LAYERS, DIM, 16, 2, 2, 4, 1000, 512);
    static final SequenceFingerprint FINGERPRINT = new SequenceFingerprint(
            new byte[32],
            "",
            "weights=f32,activations=f32,kv=f32",
            1,
            "cpu",
            BLOCK_TOKENS,
            "panels16",
            "base=10000",
            new byte[32]);

    final ExecutorService scheduler = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("scripted-engine").factory());
    final List<Scripted> prefills = new CopyOnWriteArrayList<>(); // every one ever asked for
    final List<CacheListener> cacheListeners = new CopyOnWriteArrayList<>();
    final Semaphore chunks = new Semaphore(Integer.MAX_VALUE / 2);
    volatile int cachedBlocks;
    volatile @Nullable EngineException failure; // instead of the last chunk
    volatile boolean closed;
    volatile Optional<String> lost = Optional.empty(); // what an audit finds

    /** What the engine writes at {@code position} of a sequence. */
    static byte value(int layer, int position, int token, int offset) {
        return (byte) (31 * layer + 7 * position + 13 * token + offset + 1);
    }

    static float[] hidden(int[] tokens) {
        float[] hidden = new float[DIM];
        for (int i = 0; i < DIM; i++) {
            hidden[i] = tokens.length + i / 8f;
        }
        return hidden;
    }

    final class Scripted implements PrefillHandle {

        final PrefillRequest request;
        final CountDownLatch released = new CountDownLatch(1);
        final Arena arena = Arena.ofShared();
        private final PrefillListener listener;
        volatile @Nullable EngineException cancelled;
        volatile int tokensDone;

        Scripted(PrefillRequest request, PrefillListener listener) {
            this.request = request;
            this.listener = listener;
        }

        void run() {
            int[] tokens = request.tokens();
            int blocks = Math.ceilDiv(tokens.length, BLOCK_TOKENS);
            MemorySegment[][] units = new MemorySegment[LAYERS][blocks];
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int block = 0; block < blocks; block++) {
                    units[layer][block] = arena.allocate(unitBytes(), 64);
                }
            }
            int cached = Math.min(cachedBlocks, (tokens.length - 1) / BLOCK_TOKENS);
            write(units, tokens, 0, cached * BLOCK_TOKENS);
            listener.started(cached, new Units(units));
            int done = cached * BLOCK_TOKENS;
            while (done < tokens.length) {
                int end = Math.min(tokens.length, done + CHUNK_TOKENS);
                EngineException stop = awaitChunk();
                if (stop == null && end == tokens.length) {
                    stop = failure;
                }
                if (stop != null) {
                    listener.failed(stop);
                    return;
                }
                write(units, tokens, done, end);
                for (int layer = 0; layer < LAYERS; layer++) {
                    listener.layerFinished(layer, done, end);
                }
                listener.chunkFinished(end);
                done = end;
                tokensDone = done;
            }
            listener.finished(
                    hidden(tokens), new PrefillTimes(Duration.ofMillis(2), Duration.ofMillis(1), Duration.ofMillis(3)));
        }

        private @Nullable EngineException awaitChunk() {
            try {
                while (cancelled == null && !closed && !chunks.tryAcquire(5, TimeUnit.MILLISECONDS)) {}
            } catch (InterruptedException e) {
                return new EngineException(Kind.UNAVAILABLE, "interrupted");
            }
            return closed ? new EngineException(Kind.UNAVAILABLE, "the engine is shutting down") : cancelled;
        }

        private static void write(MemorySegment[][] units, int[] tokens, int first, int end) {
            for (int layer = 0; layer < LAYERS; layer++) {
                for (int position = first; position < end; position++) {
                    MemorySegment unit = units[layer][position / BLOCK_TOKENS];
                    for (int i = 0; i < BYTES_PER_TOKEN; i++) {
                        long at = (long) (position % BLOCK_TOKENS) * BYTES_PER_TOKEN + i;
                        unit.set(ValueLayout.JAVA_BYTE, at, value(layer, position, tokens[position], i));
                    }
                }
            }
        }

        @Override
        public void cancel(Kind kind, String why) {
            cancelled = new EngineException(kind, why);
        }

        @Override
        public void release() {
            if (released.getCount() == 0) {
                throw new IllegalStateException("released twice");
            }
            released.countDown();
            scheduler.execute(arena::close);
        }
    }

    private record Units(MemorySegment[][] units) implements KvUnits {

        @Override
        public int blocks() {
            return units[0].length;
        }

        @Override
        public int layers() {
            return LAYERS;
        }

        @Override
        public long unitBytes() {
            return (long) BLOCK_TOKENS * BYTES_PER_TOKEN;
        }

        @Override
        public MemorySegment unit(int layer, int blockIndex) {
            return units[layer][blockIndex];
        }
    }

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
        return new EngineOptions(BLOCK_TOKENS, KvType.F32, CHUNK_TOKENS, OptionalLong.empty(), 8, 8);
    }

    @Override
    public long unitBytes() {
        return (long) BLOCK_TOKENS * BYTES_PER_TOKEN;
    }

    @Override
    public PrefillHandle prefill(PrefillRequest request, PrefillListener listener) {
        Scripted prefill = new Scripted(request, listener);
        prefills.add(prefill);
        if (closed) {
            listener.failed(new EngineException(Kind.UNAVAILABLE, "the engine is shutting down"));
        } else if (failure != null && failure.kind() == Kind.RESOURCE_EXHAUSTED) {
            listener.failed(failure); // on the caller's thread, as the real one refuses
        } else {
            scheduler.execute(prefill::run);
        }
        return prefill;
    }

    @Override
    public GenerationHandle generate(GenerationRequest request, GenerationListener listener) {
        throw new UnsupportedOperationException("a prefill node generates nothing");
    }

    @Override
    public EngineLoad load() {
        return new EngineLoad(0, 0, 0, 64, 64, 0, 0, 0, 0);
    }

    @Override
    public void watchCache(CacheListener listener) {
        cacheListeners.add(listener);
        listener.stored(List.of(new BlockKey(1, 2)));
    }

    @Override
    public void unwatchCache(CacheListener listener) {
        cacheListeners.remove(listener);
    }

    @Override
    public void checkInvariants() {
        lost.ifPresent(what -> {
            throw new IllegalStateException(what);
        });
    }

    @Override
    public void close() {
        closed = true;
    }
}

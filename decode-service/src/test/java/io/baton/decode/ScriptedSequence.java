package io.baton.decode;

import io.baton.engine.EngineException;
import io.baton.engine.FillLease;
import io.baton.engine.FinishReason;
import io.baton.engine.GeneratedToken;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationListener;
import io.baton.engine.GenerationRequest;
import io.baton.engine.GenerationTimes;
import io.baton.engine.KvUnits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One sequence of a {@link ScriptedEngine}. State is the scheduler thread's; the handle's methods only enqueue. */
final class ScriptedSequence implements GenerationHandle {

    private static final Duration MILLI = Duration.ofMillis(1);

    final GenerationRequest request;
    volatile boolean localPrefill;
    volatile float @Nullable [] hidden;
    volatile int verifiedBlocks;
    volatile @Nullable Lease lease;

    private final ScriptedEngine engine;
    private final GenerationListener listener;
    private boolean admitted;
    private boolean running;
    private volatile boolean ended;
    private volatile @Nullable CompletableFuture<FillLease> asked;
    private boolean leaseOpen;
    private int held;
    private final Map<Integer, Integer> open = new LinkedHashMap<>(); // next index by choice
    private volatile int steps;

    ScriptedSequence(ScriptedEngine engine, GenerationRequest request, GenerationListener listener) {
        this.engine = engine;
        this.request = request;
        this.listener = listener;
        request.answers().forEach(answer -> open.put(answer.choice(), answer.emittedTokens().length));
    }

    int tokens() {
        return request.promptTokens().length + request.emittedTokens().length;
    }

    int blocks() {
        int each = Math.ceilDiv(tokens() + request.maxTokens(), ScriptedEngine.BLOCK_TOKENS);
        int shared = tokens() / ScriptedEngine.BLOCK_TOKENS;
        return each + (request.choices() - 1) * (each - shared);
    }

    /** Steps so far; each gives every open choice a token. */
    int steps() {
        return steps;
    }

    boolean blocksAsked() {
        return asked != null;
    }

    boolean hasEnded() {
        return ended;
    }

    int heldBlocks() {
        return held;
    }

    void tryAdmit() {
        if (admitted || ended || !engine.admitting) {
            return;
        }
        admitted = true;
        held = blocks();
        engine.used += held;
        listener.admitted(cachedBlocks() * ScriptedEngine.BLOCK_TOKENS, tokens());
    }

    void resume() {
        tryAdmit();
        if (localPrefill && !running) {
            prefillNow();
        } else if (running) {
            step();
        }
    }

    @Override
    public void prefillLocally() {
        engine.scheduler.execute(() -> {
            if (leaseOpen || localPrefill || !admitted) {
                throw new IllegalStateException("local prefill at the wrong time");
            }
            localPrefill = true;
            prefillNow();
        });
    }

    private void prefillNow() {
        if (!ended && engine.prefilling) {
            listener.prefilled(tokens());
            running = true;
            step();
        }
    }

    @Override
    public CompletableFuture<FillLease> takeBlocks() {
        CompletableFuture<FillLease> taken = new CompletableFuture<>();
        engine.scheduler.execute(() -> {
            asked = taken;
            if (ended) {
                taken.completeExceptionally(new EngineException(EngineException.Kind.CANCELLED, "has ended"));
            } else if (engine.takesBlocks) {
                leaseOpen = true;
                Lease opened = new Lease();
                lease = opened;
                taken.complete(opened);
            }
        });
        return taken;
    }

    @Override
    public void cancel(EngineException.Kind kind, String why) {
        engine.scheduler.execute(() -> {
            if (!ended) {
                end();
                listener.failed(new EngineException(kind, why));
            }
        });
    }

    @Override
    public GenerationTimes times() {
        return new GenerationTimes(
                MILLI, localPrefill ? MILLI : Duration.ZERO, localPrefill ? MILLI : Duration.ZERO, MILLI);
    }

    private int cachedBlocks() {
        return Math.min(engine.cachedBlocks, (tokens() - 1) / ScriptedEngine.BLOCK_TOKENS);
    }

    private void step() {
        if (ended || engine.stepsAllowed == 0) {
            return;
        }
        engine.stepsAllowed--;
        int before = steps;
        steps = before + 1;
        for (int choice : List.copyOf(open.keySet())) {
            step(choice);
            if (ended) {
                return;
            }
        }
        engine.scheduler.execute(this::step);
    }

    private void step(int choice) {
        int index = open.merge(choice, 1, Integer::sum) - 1;
        int token = engine.choiceTokens.applyAsInt(choice, index);
        boolean goOn = listener.token(new GeneratedToken(
                choice,
                index,
                token,
                request.logprobs() < 0 ? OptionalDouble.empty() : OptionalDouble.of(-0.5),
                IntStream.range(0, Math.max(0, request.logprobs()))
                        .mapToObj(i -> new GeneratedToken.TokenLogprob(token + i, -0.5f - i))
                        .toList()));
        if (ended) {
            return;
        }
        boolean stop = !goOn || request.stopTokens().contains(token);
        if (!stop && index + 1 < request.maxTokens()) {
            return;
        }
        FinishReason reason = stop ? FinishReason.STOP : FinishReason.LENGTH;
        open.remove(choice);
        if (open.isEmpty()) {
            end(); // as in the engine, the last block is back before the end is told
        }
        listener.choiceFinished(choice, reason);
        if (ended) {
            listener.finished(reason, times());
        }
    }

    private void end() {
        ended = true;
        running = false;
        CompletableFuture<FillLease> waiting = asked;
        if (waiting != null) {
            waiting.completeExceptionally(new EngineException(EngineException.Kind.CANCELLED, "has ended"));
        }
        releaseUnlessWritten();
    }

    private void releaseUnlessWritten() {
        if (ended && !leaseOpen) {
            engine.used -= held;
            held = 0;
        }
    }

    /** Real memory for the blocks beyond the cached ones. */
    final class Lease implements FillLease {

        private final Arena arena = Arena.ofShared();
        private final AtomicBoolean over = new AtomicBoolean();
        private final int blocks = Math.ceilDiv(tokens(), ScriptedEngine.BLOCK_TOKENS);
        final MemorySegment memory = arena.allocate(ScriptedEngine.UNIT_BYTES * blocks * ScriptedEngine.LAYERS);

        @Override
        public KvUnits units() {
            return new KvUnits() {
                @Override
                public int blocks() {
                    return blocks;
                }

                @Override
                public int layers() {
                    return ScriptedEngine.LAYERS;
                }

                @Override
                public long unitBytes() {
                    return ScriptedEngine.UNIT_BYTES;
                }

                @Override
                public MemorySegment unit(int layer, int blockIndex) {
                    if (over.get()) {
                        throw new IllegalStateException("unit written after its lease has ended");
                    }
                    if (blockIndex < cachedBlocks()) {
                        throw new IllegalStateException("shared block %d written".formatted(blockIndex));
                    }
                    return memory.asSlice(
                            ((long) layer * blocks + blockIndex) * ScriptedEngine.UNIT_BYTES,
                            ScriptedEngine.UNIT_BYTES);
                }
            };
        }

        @Override
        public int cachedBlocks() {
            return ScriptedSequence.this.cachedBlocks();
        }

        @Override
        public void verified(int wholeBlocks) {
            verifiedBlocks = wholeBlocks;
        }

        @Override
        public void activate(float[] state) {
            if (!over.compareAndSet(false, true)) {
                throw new IllegalStateException("activated after the lease has ended");
            }
            hidden = state;
            engine.scheduler.execute(() -> {
                leaseOpen = false;
                if (ended) {
                    releaseUnlessWritten();
                } else {
                    running = true;
                    step();
                }
            });
        }

        @Override
        public void close() {
            if (over.compareAndSet(false, true)) {
                engine.scheduler.execute(() -> {
                    leaseOpen = false;
                    releaseUnlessWritten();
                });
            }
        }
    }
}

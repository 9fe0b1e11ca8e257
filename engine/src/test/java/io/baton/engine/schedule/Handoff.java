package io.baton.engine.schedule;

import io.baton.engine.Engine;
import io.baton.engine.EngineException;
import io.baton.engine.FillLease;
import io.baton.engine.KvUnits;
import io.baton.engine.PrefillHandle;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillRequest;
import io.baton.engine.PrefillTimes;
import java.util.concurrent.CompletableFuture;

/** Computes a prompt on one engine and copies its units, layer by layer, into the blocks of another. */
final class Handoff implements PrefillListener {

    private final FillLease lease;
    private final int blockTokens;
    private final int tokens;
    private final CompletableFuture<float[]> hidden = new CompletableFuture<>();
    private final CompletableFuture<KvUnits> source = new CompletableFuture<>();

    private Handoff(FillLease lease, int blockTokens, int tokens) {
        this.lease = lease;
        this.blockTokens = blockTokens;
        this.tokens = tokens;
    }

    /** Blocks until the sequence behind {@code lease} is active. */
    static void run(Engine prefill, PrefillRequest request, FillLease lease) {
        Handoff handoff = new Handoff(lease, prefill.options().blockTokens(), request.tokens().length);
        PrefillHandle handle = prefill.prefill(request, handoff);
        try {
            lease.activate(handoff.hidden.join());
        } finally {
            handle.release();
        }
    }

    @Override
    public void queued(int requestsAhead) {}

    @Override
    public void started(int cachedBlocks, KvUnits units) {
        source.complete(units);
        for (int layer = 0; layer < units.layers(); layer++) {
            layerFinished(layer, 0, cachedBlocks * blockTokens);
        }
    }

    @Override
    public void layerFinished(int layer, int firstToken, int endToken) {
        for (int block = firstToken / blockTokens; block < Math.ceilDiv(endToken, blockTokens); block++) {
            if (block >= lease.cachedBlocks()) {
                lease.units().unit(layer, block).copyFrom(source.join().unit(layer, block));
            }
        }
    }

    @Override
    public void chunkFinished(int tokensDone) {
        lease.verified(tokensDone / blockTokens);
    }

    @Override
    public void finished(float[] state, PrefillTimes times) {
        if (source.join().blocks() != Math.ceilDiv(tokens, blockTokens)) {
            throw new AssertionError("the source has " + source.join().blocks() + " blocks");
        }
        hidden.complete(state);
    }

    @Override
    public void failed(EngineException cause) {
        hidden.completeExceptionally(cause);
    }
}

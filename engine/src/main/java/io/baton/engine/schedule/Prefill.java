package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillRequest;
import io.baton.kv.BlockChain;

/** A prompt computed for another node. Fields belong to the scheduler thread. */
final class Prefill extends Sequence {

    final PrefillListener listener;
    int requestsAhead = -1; // as last told
    boolean released; // the caller reads no unit any more

    Prefill(PrefillRequest request, PrefillListener listener, BlockChain chain, int neededBlocks, long now) {
        super(request.owner(), request.priority(), request.tokens(), chain, neededBlocks, now);
        this.listener = listener;
    }

    @Override
    int forkBlocks() {
        return 0;
    }

    @Override
    boolean blocksLent() {
        return !released;
    }

    @Override
    void tellFailed(EngineException cause) {
        listener.failed(cause);
    }
}

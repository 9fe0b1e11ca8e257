package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.KvUnits;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillRequest;
import io.baton.engine.PrefillTimes;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Listens to one prefill, and reads every unit as it is announced. */
final class TestingPrefill implements PrefillListener {

    /** How it ended: one of the two is there. */
    record Ended(float @Nullable [] hidden, @Nullable EngineException failure) {}

    final PrefillRequest request;
    final List<Integer> ahead = new ArrayList<>();
    final CompletableFuture<Integer> started = new CompletableFuture<>();
    final CompletableFuture<Ended> ended = new CompletableFuture<>();
    final int[] layerEnds = new int[TestingModel.LAYERS];
    private final long[][] expected;
    private @Nullable KvUnits units;
    private int done;
    private final List<Integer> chunks = new ArrayList<>();

    TestingPrefill(PrefillRequest request) {
        this.request = request;
        this.expected = TestingModel.compute(request.tokens()).kv();
    }

    @Override
    public void queued(int requestsAhead) {
        require(!started.isDone(), "queued after it started");
        ahead.add(requestsAhead);
    }

    @Override
    public void started(int cachedBlocks, KvUnits units) {
        require(started.complete(cachedBlocks), "started twice");
        this.units = units;
        done = cachedBlocks * Requests.BLOCK_TOKENS;
        require(done < request.tokens().length, "everything is cached");
        Arrays.fill(layerEnds, done);
        readAll();
    }

    @Override
    public void layerFinished(int layer, int firstToken, int endToken) {
        require(layerEnds[layer] == firstToken && endToken > firstToken, "layer goes on at " + firstToken);
        layerEnds[layer] = endToken;
        read(layer, firstToken, endToken);
    }

    @Override
    public void chunkFinished(int tokensDone) {
        require(tokensDone > done, "done " + tokensDone);
        for (int end : layerEnds) {
            require(end == tokensDone, "a layer ends at " + end);
        }
        done = tokensDone;
        chunks.add(tokensDone);
    }

    @Override
    public void finished(float[] hidden, PrefillTimes times) {
        require(done == request.tokens().length, "finished at " + done);
        end(new Ended(hidden, null));
    }

    @Override
    public void failed(EngineException cause) {
        end(new Ended(null, cause));
    }

    private void end(Ended how) {
        require(ended.complete(how), "ended twice");
    }

    /** Everything announced so far is in the units, and nothing else is. */
    void readAll() {
        for (int layer = 0; units != null && layer < TestingModel.LAYERS; layer++) {
            read(layer, 0, layerEnds[layer]);
        }
    }

    private void read(int layer, int from, int to) {
        KvUnits announced = units;
        if (announced == null) {
            throw new AssertionError(request.owner() + ": units before the start");
        }
        for (int position = from; position < to; position++) {
            long found = announced
                    .unit(layer, position / Requests.BLOCK_TOKENS)
                    .getAtIndex(ValueLayout.JAVA_LONG, position % Requests.BLOCK_TOKENS);
            require(found == expected[layer][position], "layer %d position %d is other".formatted(layer, position));
        }
    }

    private void require(boolean holds, String found) {
        if (!holds) {
            throw new AssertionError(request.owner() + ": " + found);
        }
    }

    /** How far each chunk came. */
    List<Integer> done() {
        return chunks;
    }

    float[] hidden() {
        return Objects.requireNonNull(
                ended.join().hidden(), () -> "failed: " + ended.join().failure());
    }

    /** Why it failed. */
    EngineException failure() {
        return Objects.requireNonNull(ended.join().failure(), "it ended well");
    }
}

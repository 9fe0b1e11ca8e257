package io.baton.engine.schedule;

import io.baton.engine.EngineException;
import io.baton.engine.FinishReason;
import io.baton.engine.GeneratedToken;
import io.baton.engine.GenerationListener;
import io.baton.engine.GenerationRequest;
import io.baton.engine.GenerationTimes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Listens to one generation, insisting on the order of calls. Read by others once {@link #ended} is complete. */
class TestingGeneration implements GenerationListener {

    /** How it ended: one of the two is there. */
    record Ended(
            @Nullable FinishReason reason,
            @Nullable EngineException failure,
            @Nullable GenerationTimes times) {}

    final GenerationRequest request;
    final Map<Integer, List<GeneratedToken>> tokens = new TreeMap<>();
    final Map<Integer, FinishReason> finished = new TreeMap<>();
    final List<Integer> prefilled = new ArrayList<>();
    final CompletableFuture<Integer> admitted = new CompletableFuture<>();
    final CompletableFuture<Ended> ended = new CompletableFuture<>();

    TestingGeneration(GenerationRequest request) {
        this.request = request;
    }

    /** Runs on the scheduler thread, or here if it is admitted already. */
    void whenAdmitted(Runnable action) {
        CompletableFuture<Void> _ = admitted.thenRun(action);
    }

    @Override
    public void admitted(int cachedTokens, int totalTokens) {
        require(totalTokens == request.promptTokens().length + request.emittedTokens().length, "total " + totalTokens);
        require(cachedTokens % Requests.BLOCK_TOKENS == 0 && cachedTokens < totalTokens, "cached " + cachedTokens);
        require(admitted.complete(cachedTokens), "admitted twice");
    }

    @Override
    public void prefilled(int tokensDone) {
        require(prefilled.isEmpty() || prefilled.getLast() < tokensDone, "prefilled " + tokensDone);
        prefilled.add(tokensDone);
    }

    @Override
    public boolean token(GeneratedToken token) {
        require(!finished.containsKey(token.choice()), "a token after choice " + token.choice() + " finished");
        List<GeneratedToken> before = tokens.computeIfAbsent(token.choice(), choice -> new ArrayList<>());
        int known = Requests.emitted(request, token.choice()).length;
        require(token.index() == known + before.size(), "index " + token.index());
        before.add(token);
        return true;
    }

    @Override
    public void choiceFinished(int choice, FinishReason reason) {
        require(finished.put(choice, reason) == null, "choice " + choice + " finished twice");
    }

    @Override
    public void finished(FinishReason reason, GenerationTimes times) {
        end(new Ended(reason, null, times));
    }

    @Override
    public void failed(EngineException cause) {
        end(new Ended(null, cause, null));
    }

    private void end(Ended how) {
        require(ended.complete(how), "ended twice: " + how);
    }

    private void require(boolean holds, String found) {
        if (!holds || (ended.isDone() && !found.startsWith("ended twice"))) {
            throw new AssertionError(request.owner() + ": " + found);
        }
    }

    int[] tokenIds(int choice) {
        return tokens(choice).stream().mapToInt(GeneratedToken::tokenId).toArray();
    }

    /** The tokens of one answer so far. */
    List<GeneratedToken> tokens(int choice) {
        return tokens.getOrDefault(choice, List.of());
    }

    /** Why it ended well. */
    FinishReason reason() {
        return Objects.requireNonNull(
                ended.join().reason(), () -> "failed: " + ended.join().failure());
    }

    GenerationTimes times() {
        return Objects.requireNonNull(
                ended.join().times(), () -> "failed: " + ended.join().failure());
    }

    /** Why it failed. */
    EngineException failure() {
        return Objects.requireNonNull(ended.join().failure(), "it ended well");
    }
}

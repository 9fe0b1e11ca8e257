package io.baton.e2e.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.client.BatonException;
import io.baton.client.GeneratedToken;
import io.baton.client.GenerationListener;
import io.baton.client.GenerationResult;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Hears a generation to its end and remembers what it heard. */
final class Witness implements GenerationListener {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    final List<GeneratedToken> tokens = new CopyOnWriteArrayList<>();
    private final CountDownLatch enough;
    private final CompletableFuture<GenerationResult> result = new CompletableFuture<>();
    private final CompletableFuture<BatonException> failure = new CompletableFuture<>();

    private Witness(int tokens) {
        this.enough = new CountDownLatch(tokens);
    }

    static Witness create() {
        return new Witness(1);
    }

    /** A witness whose {@link #awaitTokens} waits for so many. */
    static Witness ofTokens(int tokens) {
        return new Witness(tokens);
    }

    @Override
    public void token(GeneratedToken token) {
        tokens.add(token);
        enough.countDown();
    }

    @Override
    public void finished(GenerationResult answer) {
        result.complete(answer);
        failure.completeExceptionally(new AssertionError("finished, and was expected to fail: " + answer.route()));
    }

    @Override
    public void failed(BatonException thrown) {
        failure.complete(thrown);
        result.completeExceptionally(thrown);
    }

    void awaitTokens() throws InterruptedException {
        assertThat(enough.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS))
                .as("tokens")
                .isTrue();
    }

    boolean hasEnded() {
        return failure.isDone();
    }

    /** What it ended with, if it has failed. */
    Optional<BatonException> endedBy() {
        return failure.isDone() && !failure.isCompletedExceptionally() ? Optional.of(failure.join()) : Optional.empty();
    }

    /** The good end, which must come. */
    GenerationResult result() throws InterruptedException, ExecutionException, TimeoutException {
        return result.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The bad end, which must come within {@code limit}. */
    BatonException failure(Duration limit) throws InterruptedException, ExecutionException, TimeoutException {
        return failure.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    }
}

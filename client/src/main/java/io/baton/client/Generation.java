package io.baton.client;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A running generation, read token by token by one thread:
 *
 * <pre>{@code
 * try (Generation generation = client.generate(GenerateSpec.text("Once").maxTokens(64).build())) {
 *     for (GeneratedToken token : generation) {
 *         System.out.print(token.text());
 *     }
 *     GenerationResult result = generation.result();
 * }
 * }</pre>
 *
 * Reading blocks until the next token and throws {@link BatonException} when the call fails. Closing it before its end
 * cancels it, on every node behind the gateway too; {@link #cancel} does so from any thread.
 */
public final class Generation implements Iterable<GeneratedToken>, AutoCloseable {

    private sealed interface Signal {
        record Start(Started started) implements Signal {}

        record Next(GeneratedToken token) implements Signal {}

        record End(GenerationResult result) implements Signal {}

        record Failure(BatonException exception) implements Signal {}
    }

    /** Tokens that may arrive before they are read; then the stream is held back. */
    static final int READ_AHEAD = 256;

    private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    private final GenerateCall call;

    // Owned by the reading thread.
    private @Nullable Signal ahead;
    private @Nullable Started started;

    Generation(Function<GenerationListener, GenerateCall> start) {
        this.call = start.apply(new Enqueueing());
    }

    /** Waits until the gateway has accepted the request. */
    public Started started() {
        while (started == null && ahead == null) {
            receive();
        }
        if (started == null) {
            throw failure(peek());
        }
        return started;
    }

    /** The tokens not yet read. Every iterator of a generation reads the same stream. */
    @Override
    public Iterator<GeneratedToken> iterator() {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return switch (peek()) {
                    case Signal.Next _ -> true;
                    case Signal.End _ -> false;
                    case Signal.Failure failure -> throw failure(failure);
                    case Signal.Start _ -> throw new IllegalStateException("peek passes over the start");
                };
            }

            @Override
            public GeneratedToken next() {
                return take();
            }
        };
    }

    /** Reads what is left and returns the whole. */
    public GenerationResult result() {
        while (true) {
            switch (peek()) {
                case Signal.Next _ -> take();
                case Signal.End end -> {
                    return end.result();
                }
                case Signal.Failure failure -> throw failure(failure);
                case Signal.Start _ -> throw new IllegalStateException("peek passes over the start");
            }
        }
    }

    /** Ends the call now; a reader gets a CANCELLED {@link BatonException}. May be called by any thread. */
    public void cancel() {
        call.cancel();
    }

    /** Cancels the call unless it has ended. */
    @Override
    public void close() {
        call.cancel();
    }

    /** The next signal, which stays the next until it is taken; the end stays for good. */
    private Signal peek() {
        while (ahead == null) {
            receive();
        }
        return ahead;
    }

    private void receive() {
        try {
            Signal signal = signals.take();
            if (signal instanceof Signal.Start(Started accepted)) {
                started = accepted;
            } else {
                ahead = signal;
            }
        } catch (InterruptedException e) {
            call.cancel();
            Thread.currentThread().interrupt();
            ahead = new Signal.Failure(BatonException.interrupted(e));
        }
    }

    /** Takes the token that {@link #peek} has shown. */
    private GeneratedToken take() {
        Signal signal = peek();
        if (signal instanceof Signal.Failure) {
            throw failure(signal);
        }
        if (!(signal instanceof Signal.Next(GeneratedToken token))) {
            throw new NoSuchElementException("the generation has ended");
        }
        ahead = null;
        call.pull();
        return token;
    }

    private static RuntimeException failure(Signal signal) {
        return signal instanceof Signal.Failure(BatonException exception)
                ? exception
                : new IllegalStateException("the generation ended before it started");
    }

    /** Runs on gRPC threads and never blocks: no more tokens arrive than were asked for. */
    private final class Enqueueing implements GenerationListener {
        @Override
        public void started(Started started) {
            signals.add(new Signal.Start(started));
        }

        @Override
        public void token(GeneratedToken token) {
            signals.add(new Signal.Next(token));
        }

        @Override
        public void finished(GenerationResult result) {
            signals.add(new Signal.End(result));
        }

        @Override
        public void failed(BatonException failure) {
            signals.add(new Signal.Failure(failure));
        }
    }
}

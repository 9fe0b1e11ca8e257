package io.baton.decode;

import io.baton.engine.Engine;
import io.baton.engine.EngineException;
import io.baton.engine.FinishReason;
import io.baton.engine.GeneratedToken;
import io.baton.engine.GenerationHandle;
import io.baton.engine.GenerationListener;
import io.baton.engine.GenerationRequest;
import io.baton.engine.GenerationTimes;
import io.baton.kv.SequenceRoot;
import io.baton.proto.v1.DecodeAdmitted;
import io.baton.proto.v1.DecodeChoiceFinished;
import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeFinished;
import io.baton.proto.v1.DecodeToken;
import io.baton.proto.v1.TokenLogprob;
import io.baton.proto.v1.TtftParts;
import io.baton.proto.v1.Usage;
import io.baton.serving.telemetry.Spans;
import io.grpc.Context;
import io.grpc.Status;
import io.opentelemetry.api.trace.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One request on this node, from receipt to its one end: one prompt, and one or several choices that go on from it. The
 * engine's scheduler thread brings admission, tokens and the end; the request's own thread prefills; the gateway's
 * cancellation comes from a gRPC thread. Whatever ends the sequence, {@link EventStream} ends the stream once.
 */
final class DecodeCall implements GenerationListener {

    private final DecodeOrder order;
    private final SequenceRoot root;
    private final Engine engine;
    private final PromptPrefill prefill;
    private final Executor threads;
    private final EventStream events;
    private final RouteRecord route;
    private final FirstTokenTimes times;
    private final DecodeTelemetry telemetry;
    private final Span span = Spans.currentSpan();
    private final Context context = Context.current();
    private final CompletableFuture<GenerationHandle> sequence = new CompletableFuture<>();

    private final List<ChoiceOutput> complete = new ArrayList<>(); // with what was known of them
    private final Map<Integer, ChoiceOutput> generated = new LinkedHashMap<>(); // by number
    // The scheduler thread's once the sequence is submitted.
    private int open;
    private boolean first = true;
    private @Nullable ChoiceOutput lastToEnd;
    private volatile boolean ended;
    private volatile @Nullable RemotePrefill remote;

    DecodeCall(
            DecodeOrder order,
            SequenceRoot root,
            Engine engine,
            PromptPrefill prefill,
            Executor threads,
            List<ChoiceOutput> outputs,
            EventStream events,
            RouteRecord route,
            FirstTokenTimes times,
            DecodeTelemetry telemetry) {
        this.root = root;
        this.engine = engine;
        this.prefill = prefill;
        this.threads = threads;
        this.events = events;
        this.route = route;
        this.times = times;
        this.telemetry = telemetry;
        for (ChoiceOutput output : outputs) {
            if (output.knownEnd().isPresent()) {
                complete.add(output);
            } else {
                generated.put(output.choice(), output);
            }
        }
        this.open = generated.size();
        this.order =
                order.of(generated.values().stream().map(ChoiceOutput::known).toList());
    }

    /** Submits the sequence, unless what is known of its output ends it already. On a gRPC thread. */
    void start() {
        for (ChoiceOutput output : generated.isEmpty() ? complete.subList(1, complete.size()) : complete) {
            tellEnd(output, output.knownEnd().orElseThrow());
        }
        if (generated.isEmpty()) {
            ChoiceOutput last = complete.getFirst();
            finish(last, last.knownEnd().orElseThrow());
            return;
        }
        sequence.complete(engine.generate(
                new GenerationRequest(
                        order.requestId(),
                        order.prompt(),
                        generated.values().stream().map(ChoiceOutput::answer).toList(),
                        root,
                        order.sampling(),
                        order.seed(),
                        order.maxTokens(),
                        order.stopTokens(),
                        order.logprobs(),
                        order.context().getPriority()),
                this));
    }

    /** The gateway went away, gave up, or its deadline passed. On a gRPC thread. */
    void cancelled() {
        boolean late = context.cancellationCause() instanceof TimeoutException;
        end(
                late ? EngineException.Kind.DEADLINE_EXCEEDED : EngineException.Kind.CANCELLED,
                late ? "the deadline passed" : "the caller cancelled or went away");
        events.abandon();
    }

    /** The node stops. Any thread. */
    void end(EngineException.Kind kind, String why) {
        abortPrefill();
        var _ = sequence.thenAccept(handle -> handle.cancel(kind, why));
    }

    @Override
    public void admitted(int cachedTokens, int totalTokens) {
        route.admitted(cachedTokens);
        telemetry.admitted(cachedTokens, totalTokens);
        events.offer(() -> DecodeEvent.newBuilder()
                .setAdmitted(DecodeAdmitted.newBuilder().setCachedTokens(cachedTokens))
                .build());
        threads.execute(context.wrap(() -> prefill(cachedTokens, totalTokens)));
    }

    private void prefill(int cachedTokens, int totalTokens) {
        GenerationHandle handle = sequence.join();
        try {
            RemotePrefill others = prefill.remote(order, root, handle, route);
            remote = others;
            if (ended) {
                others.abort();
            }
            PromptPrefill.End end = prefill.run(order, others, handle, cachedTokens, totalTokens, route, times);
            if (end instanceof PromptPrefill.End.Refused refused) {
                events.fail(Refusals.of(Status.UNAVAILABLE.withDescription(refused.detail()), refused.reason()));
                handle.cancel(EngineException.Kind.UNAVAILABLE, refused.detail());
            }
        } catch (RuntimeException e) {
            events.fail(Status.INTERNAL
                    .withDescription("prefill failed: " + e.getMessage())
                    .withCause(e)
                    .asRuntimeException());
            handle.cancel(EngineException.Kind.INTERNAL, "prefill failed");
        }
    }

    @Override
    public void prefilled(int tokensDone) {
        // the gateway is not told: the engine's load, which Watch carries, says how far a node's queue is
    }

    @Override
    public boolean token(GeneratedToken token) {
        ChoiceOutput output = output(token.choice());
        String piece = output.append(token.tokenId());
        boolean one = first;
        first = false;
        if (one) {
            times.sampled(sequence.join().times());
        }
        return offer(() -> event(token, piece, one ? times.upToNow() : null)) && !output.stopped();
    }

    @Override
    public void choiceFinished(int choice, FinishReason reason) {
        ChoiceOutput output = output(choice);
        lastToEnd = output;
        if (--open > 0) {
            tellEnd(output, reason);
        }
    }

    @Override
    public void finished(FinishReason reason, GenerationTimes engineTimes) {
        ended = true;
        telemetry.routed(span, route.route());
        ChoiceOutput last = lastToEnd;
        finish(last == null ? generated.values().iterator().next() : last, reason);
    }

    @Override
    public void failed(EngineException cause) {
        ended = true;
        abortPrefill();
        telemetry.routed(span, route.route());
        events.fail(Refusals.of(cause));
    }

    private ChoiceOutput output(int choice) {
        ChoiceOutput output = generated.get(choice);
        if (output == null) {
            throw new IllegalStateException("choice %d was not asked for".formatted(choice));
        }
        return output;
    }

    /** Queues an event; a caller that reads too slowly loses all choices. */
    private boolean offer(Supplier<DecodeEvent> event) {
        if (events.offer(event)) {
            return true;
        }
        String why = "the caller reads too slowly: the token buffer is full; read faster or ask for less";
        events.fail(Status.RESOURCE_EXHAUSTED.withDescription(why).asRuntimeException());
        var _ = sequence.thenAccept(handle -> handle.cancel(EngineException.Kind.RESOURCE_EXHAUSTED, why));
        return false;
    }

    private void abortPrefill() {
        RemotePrefill others = remote;
        if (others != null) {
            others.abort();
        }
    }

    /** Tells of a choice that ends before others. */
    private void tellEnd(ChoiceOutput output, FinishReason reason) {
        String rest = output.finish();
        offer(() -> DecodeEvent.newBuilder()
                .setChoiceFinished(DecodeChoiceFinished.newBuilder()
                        .setChoice(output.choice())
                        .setReason(proto(reason))
                        .setText(rest))
                .build());
    }

    private void finish(ChoiceOutput last, FinishReason reason) {
        String rest = last.finish();
        int tokens = Stream.concat(complete.stream(), generated.values().stream())
                .mapToInt(ChoiceOutput::tokens)
                .sum();
        events.finish(() -> DecodeEvent.newBuilder()
                .setFinished(DecodeFinished.newBuilder()
                        .setChoice(last.choice())
                        .setReason(proto(reason))
                        .setText(rest)
                        .setUsage(Usage.newBuilder()
                                .setPromptTokens(order.prompt().length)
                                .setCachedTokens(route.cachedTokens())
                                .setOutputTokens(tokens))
                        .setRoute(route.route()))
                .build());
    }

    private static io.baton.proto.v1.FinishReason proto(FinishReason reason) {
        return switch (reason) {
            case STOP -> io.baton.proto.v1.FinishReason.FINISH_REASON_STOP;
            case LENGTH -> io.baton.proto.v1.FinishReason.FINISH_REASON_LENGTH;
        };
    }

    private static DecodeEvent event(GeneratedToken token, String piece, @Nullable TtftParts parts) {
        DecodeToken.Builder event = DecodeToken.newBuilder()
                .setChoice(token.choice())
                .setIndex(token.index())
                .setTokenId(token.tokenId())
                .setText(piece);
        token.logprob().ifPresent(logprob -> event.setLogprob((float) logprob));
        token.top()
                .forEach(top -> event.addTopLogprobs(
                        TokenLogprob.newBuilder().setTokenId(top.tokenId()).setLogprob(top.logprob())));
        if (parts != null) {
            event.setTtft(parts);
        }
        return DecodeEvent.newBuilder().setToken(event).build();
    }
}

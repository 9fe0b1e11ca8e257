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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One request on this node, from receipt to its one end. The engine's scheduler thread brings admission, tokens and the
 * end; the request's own thread prefills; the gateway's cancellation comes from a gRPC thread. Whatever ends the
 * sequence, {@link EventStream} ends the stream once.
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

    private final OutputText text; // the scheduler thread's once the sequence is submitted
    private String again = ""; // what the withheld tokens say, until the first token has said it
    private boolean first = true;
    private int outputTokens;
    private volatile boolean ended;
    private volatile @Nullable RemotePrefill remote;

    DecodeCall(
            DecodeOrder order,
            SequenceRoot root,
            Engine engine,
            PromptPrefill prefill,
            Executor threads,
            OutputText text,
            EventStream events,
            RouteRecord route,
            FirstTokenTimes times,
            DecodeTelemetry telemetry) {
        this.order = order;
        this.root = root;
        this.engine = engine;
        this.prefill = prefill;
        this.threads = threads;
        this.text = text;
        this.events = events;
        this.route = route;
        this.times = times;
        this.telemetry = telemetry;
        this.outputTokens = order.emitted().length + order.withheld().length;
    }

    /** Submits the sequence, unless what is known of its output ends it already. On a gRPC thread. */
    void start() {
        replayKnownOutput();
        if (text.stopped()) {
            finish(FinishReason.STOP);
        } else if (outputTokens >= order.maxTokens()) {
            finish(FinishReason.LENGTH);
        } else {
            sequence.complete(engine.generate(
                    new GenerationRequest(
                            order.requestId(),
                            order.prompt(),
                            order.knownOutput(),
                            root,
                            order.sampling(),
                            order.seed(),
                            order.maxTokens(),
                            order.stopTokens(),
                            order.logprobs(),
                            order.context().getPriority()),
                    this));
        }
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
        String piece = again + said(token.tokenId());
        again = "";
        outputTokens++;
        TtftParts parts = first ? times.upToNow(sequence.join().times()) : null;
        first = false;
        if (!events.offer(() -> event(token, piece, parts))) {
            events.fail(Status.RESOURCE_EXHAUSTED
                    .withDescription(
                            "the caller reads too slowly: the token buffer is full; read faster or ask for less")
                    .asRuntimeException());
            return false;
        }
        return !text.stopped();
    }

    @Override
    public void finished(FinishReason reason, GenerationTimes engineTimes) {
        ended = true;
        telemetry.routed(span, route.route());
        finish(reason);
    }

    @Override
    public void failed(EngineException cause) {
        ended = true;
        abortPrefill();
        telemetry.routed(span, route.route());
        events.fail(Refusals.of(cause));
    }

    /** What a token adds to the text; a stop token nothing. */
    private String said(int token) {
        return order.stopTokens().contains(token) ? "" : text.append(token);
    }

    private void abortPrefill() {
        RemotePrefill others = remote;
        if (others != null) {
            others.abort();
        }
    }

    /** Brings the text to where the known output left it; what the withheld tokens say has not been said. */
    private void replayKnownOutput() {
        for (int token : order.emitted()) {
            if (!text.stopped()) {
                said(token);
            }
        }
        StringBuilder unsaid = new StringBuilder();
        for (int token : order.withheld()) {
            if (!text.stopped()) {
                unsaid.append(said(token));
            }
        }
        again = unsaid.toString();
    }

    private void finish(FinishReason reason) {
        String rest = again + text.finish();
        int output = outputTokens;
        events.finish(() -> DecodeEvent.newBuilder()
                .setFinished(DecodeFinished.newBuilder()
                        .setReason(
                                switch (reason) {
                                    case STOP -> io.baton.proto.v1.FinishReason.FINISH_REASON_STOP;
                                    case LENGTH -> io.baton.proto.v1.FinishReason.FINISH_REASON_LENGTH;
                                })
                        .setText(rest)
                        .setUsage(Usage.newBuilder()
                                .setPromptTokens(order.prompt().length)
                                .setCachedTokens(route.cachedTokens())
                                .setOutputTokens(output))
                        .setRoute(route.route()))
                .build());
    }

    private static DecodeEvent event(GeneratedToken token, String piece, @Nullable TtftParts parts) {
        DecodeToken.Builder event = DecodeToken.newBuilder()
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

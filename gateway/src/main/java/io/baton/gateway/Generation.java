package io.baton.gateway;

import com.google.protobuf.ByteString;
import io.baton.proto.v1.CallContext;
import io.baton.proto.v1.DecodeChoiceFinished;
import io.baton.proto.v1.DecodeEvent;
import io.baton.proto.v1.DecodeFinished;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.DecodeToken;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.Finished;
import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.PrefillCandidate;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.RouteEvent;
import io.baton.proto.v1.Started;
import io.baton.proto.v1.Token;
import io.baton.routing.BlockKeys;
import io.baton.routing.Pool;
import io.baton.routing.RouteDecision;
import io.baton.serving.Fingerprints;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.opentelemetry.api.trace.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request from its check to its one end: route, decode, relay; and again elsewhere when a decode node is lost. Runs
 * on a thread of its own, which waits for the decode stream or for the client, never for both, so that nothing is
 * buffered here beyond one event.
 */
final class Generation {

    static final int MAX_ATTEMPTS = 3;

    private static final Logger LOG = LoggerFactory.getLogger(Generation.class);

    private final GatewayParts parts;
    private final GenerateRequest request;
    private final Tenant tenant;
    private final String requestId;
    private final ClientStream client;
    private final FirstToken first;
    private final RequestTrace trace;

    private final Set<String> failedNodes = new HashSet<>();
    private final List<RouteEvent> fallbacks = new ArrayList<>();
    private @Nullable Choices choices; // once the request is checked

    Generation(
            GatewayParts parts,
            GenerateRequest request,
            Tenant tenant,
            String requestId,
            ClientStream client,
            FirstToken first) {
        this.parts = parts;
        this.request = request;
        this.tenant = tenant;
        this.requestId = requestId;
        this.client = client;
        this.first = first;
        this.trace = new RequestTrace(
                parts.telemetry(),
                parts.metrics(),
                parts.fallbacks(),
                parts.model().name());
    }

    /** Never throws; the client's stream has ended when it returns. */
    void run() {
        try {
            serve();
            trace.ended(first, longestRelayed(), Status.OK);
            client.complete();
        } catch (RuntimeException e) {
            StatusRuntimeException status = client.isCancelled()
                    ? client.cancellation()
                    : parts.statuses().exception(e);
            trace.ended(first, longestRelayed(), status.getStatus());
            client.fail(status);
        }
    }

    private void serve() {
        GenerateOrder order = GenerateOrder.of(request, parts.model(), parts.random()::nextLong);
        Choices answers = new Choices(order);
        choices = answers;
        byte[] salt = parts.salt().of(tenant, request.getCacheSalt());
        Way way = way(order, answers, parts.routers().pools(order), salt);
        Pool pool = way.pool(); // the sequence never leaves it
        RouteDecision.Route route = way.route();
        client.send(GenerateEvent.newBuilder().setStarted(started(order, pool)).build());
        for (int attempt = 1; ; attempt++) {
            Loss loss = attempt(decodeRequest(order, answers, pool, route, salt, attempt), answers, route.decodeNode());
            if (loss == null) {
                return;
            }
            if (!mayGoOn(loss, attempt)) {
                throw loss.status();
            }
            failedNodes.add(route.decodeNode());
            route = routeElsewhere(order, answers, pool, salt, loss);
            RouteEvent event = RouteEvent.newBuilder()
                    .setReason(loss.reason())
                    .setNode(loss.node())
                    .setDetail(String.valueOf(loss.status().getStatus().getDescription()))
                    .build();
            fallbacks.add(event);
            trace.fellBack(event);
        }
    }

    private record Way(Pool pool, RouteDecision.Route route) {}

    /** The first pool that has a way; the first one's refusal when none has. */
    private Way way(GenerateOrder order, Choices answers, List<Pool> pools, byte[] salt) {
        RouteDecision.@Nullable Refusal refusal = null;
        int[] known = answers.withPrompt();
        int[] sequence = Arrays.copyOf(order.prompt(), order.prompt().length + known.length);
        System.arraycopy(known, 0, sequence, order.prompt().length, known.length);
        for (Pool pool : pools) {
            BlockKeys prefix = PoolRouters.reusable(pool, salt, sequence);
            if (refusal == null) {
                first.checked();
            }
            int open = answers.open().size();
            Span span = trace.routing(failedNodes.size() + 1);
            switch (parts.routers().choose(order, pool, prefix, open, known.length, failedNodes)) {
                case RouteDecision.Route route -> {
                    trace.routed(span, route);
                    return new Way(pool, route);
                }
                case RouteDecision.Refusal refused -> {
                    trace.refused(span, refused);
                    refusal = refusal == null ? refused : refusal;
                }
            }
        }
        if (refusal == null) {
            throw new IllegalArgumentException("expected at least one pool");
        }
        throw Refusals.of(refusal);
    }

    private RouteDecision.Route routeElsewhere(
            GenerateOrder order, Choices answers, Pool pool, byte[] salt, Loss loss) {
        try {
            return way(order, answers, List.of(pool), salt).route();
        } catch (StatusRuntimeException nowhere) {
            throw loss.status()
                    .getStatus()
                    .augmentDescription("and it cannot go on elsewhere: "
                            + nowhere.getStatus().getDescription())
                    .asRuntimeException(Status.trailersFromThrowable(nowhere));
        }
    }

    /** Relays one decode stream; null when it finished well. */
    private @Nullable Loss attempt(DecodeRequest decode, Choices answers, String node) {
        if (longestRelayed() == 0) {
            first.sent();
        }
        try (DecodeCalls.Stream stream = parts.decodeCalls().open(node, decode)) {
            while (true) {
                DecodeEvent event = stream.next();
                if (event == null) {
                    throw Status.UNAVAILABLE
                            .withDescription(node + " ended the stream without finishing it")
                            .asException();
                }
                switch (event.getEventCase()) {
                    case TOKEN -> relay(event.getToken(), stream, answers);
                    case CHOICE_FINISHED -> {
                        DecodeChoiceFinished end = event.getChoiceFinished();
                        answers.finish(end.getChoice(), end.getReason(), end.getText(), node);
                    }
                    case FINISHED -> {
                        finish(event.getFinished(), answers, node);
                        awaitEnd(stream, node);
                        return null;
                    }
                    case ADMITTED,
                            EVENT_NOT_SET -> {} // the latter: something a newer node says and this one need not know
                }
            }
        } catch (StatusException e) {
            if (client.isCancelled()) {
                throw client.cancellation();
            }
            return Loss.of(e, node);
        }
    }

    private void relay(DecodeToken token, DecodeCalls.Stream stream, Choices answers) {
        boolean firstToken = longestRelayed() == 0;
        if (!answers.add(token, stream.node())) {
            return; // said before
        }
        Token.Builder relayedToken = Token.newBuilder()
                .setChoice(token.getChoice())
                .setIndex(token.getIndex())
                .setTokenId(token.getTokenId())
                .setText(token.getText())
                .addAllTopLogprobs(token.getTopLogprobsList())
                .setSamplerState(token.getSamplerState());
        if (token.hasLogprob()) {
            relayedToken.setLogprob(token.getLogprob());
        }
        if (firstToken) {
            first.left(stream.requestAgeNanos());
            first.arrived(stream.ageNanos());
        }
        client.send(GenerateEvent.newBuilder().setToken(relayedToken).build());
        if (firstToken) {
            first.written(token.getTtft());
            trace.firstToken(first.parts());
        }
    }

    private void finish(DecodeFinished finished, Choices answers, String node) {
        answers.finish(finished.getChoice(), finished.getReason(), finished.getText(), node);
        trace.finished(finished.getUsage());
        Route route = finished.getRoute().toBuilder()
                .clearEvents()
                .addAllEvents(fallbacks)
                .addAllEvents(finished.getRoute().getEventsList())
                .build();
        client.send(GenerateEvent.newBuilder()
                .setFinished(Finished.newBuilder()
                        .addAllChoices(answers.ends(node))
                        .setUsage(finished.getUsage().toBuilder().setOutputTokens(answers.tokens()))
                        .setRoute(route)
                        .setTtft(first.parts()))
                .build());
    }

    /**
     * Lets the decode stream end by itself: cancelling it now would look like a client that went away. The answer is
     * whole and delivered, so nothing that happens here changes it.
     */
    private static void awaitEnd(DecodeCalls.Stream stream, String node) {
        try {
            DecodeEvent more = stream.next();
            if (more != null) {
                LOG.warn("{} sent {} after it had finished", node, more.getEventCase());
            }
        } catch (StatusException e) {
            LOG.debug("{} finished a sequence and then ended its stream with {}", node, e.getStatus());
        }
    }

    private boolean mayGoOn(Loss loss, int attempt) {
        boolean begun = longestRelayed() > 0;
        boolean allowed = !begun || request.getFallbackPolicy() != FallbackPolicy.FALLBACK_POLICY_FAIL;
        return loss.elsewhereMayHelp(begun)
                && allowed
                && attempt < MAX_ATTEMPTS
                && parts.retries().tryRetry();
    }

    private int longestRelayed() {
        return choices == null ? 0 : choices.longestRelayed();
    }

    private Started started(GenerateOrder order, Pool pool) {
        Started.Builder started = Started.newBuilder()
                .setRequestId(requestId)
                .setModel(parts.model().name())
                .setSeed(order.seed())
                .setPromptTokens(order.prompt().length)
                .setFingerprint(Fingerprints.toProto(pool.fingerprint()));
        for (int token : order.prompt()) {
            started.addPromptTokenIds(token);
        }
        return started.build();
    }

    private DecodeRequest decodeRequest(
            GenerateOrder order, Choices answers, Pool pool, RouteDecision.Route route, byte[] salt, int attempt) {
        DecodeRequest.Builder decode = DecodeRequest.newBuilder()
                .setContext(CallContext.newBuilder()
                        .setRequestId(requestId)
                        .setTenant(tenant.name())
                        .setPriority(request.getPriority())
                        .setEffectiveSalt(ByteString.copyFrom(salt))
                        .setAttempt(attempt)
                        .setFallbackPolicy(request.getFallbackPolicy()))
                .setFingerprint(Fingerprints.toProto(pool.fingerprint()))
                .setSampling(request.getSampling())
                .setSeed(order.seed())
                .setStop(request.getStop().toBuilder().setMaxTokens(order.maxOutputTokens()))
                .setPrefillMode(request.getPrefillMode());
        answers.describe(decode);
        if (request.hasLogprobs()) {
            decode.setLogprobs(request.getLogprobs());
        }
        for (int token : order.prompt()) {
            decode.addPromptTokenIds(token);
        }
        for (var candidate : route.prefillNodes()) {
            decode.addPrefillNodes(PrefillCandidate.newBuilder()
                    .setNode(candidate.node())
                    .setEstimatedMicros(candidate.estimatedMicros())
                    .setCachedTokens(candidate.cachedTokens()));
        }
        return decode.build();
    }
}

package io.baton.decode;

import io.baton.engine.Engine;
import io.baton.engine.EngineLoad;
import io.baton.engine.GenerationHandle;
import io.baton.kv.SequenceRoot;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.Reason;
import io.baton.routing.NodeLoad;
import io.baton.routing.PrefillCandidate;
import io.baton.routing.PrefillChoice;
import io.baton.routing.PrefillChoice.Place;
import io.baton.routing.PrefillPlace;
import io.grpc.Context;
import io.grpc.Deadline;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Decides where prompts are prefilled, and sees to it. The gateway ranked prefill nodes by what it believed of this
 * node; this node knows, so its word is final. Thread-safe; each request runs it on a thread of its own.
 */
final class PromptPrefill {

    /** How it ended, from the request's point of view. */
    sealed interface End {

        /** The sequence goes on by itself: it is active, or the engine prefills it. */
        record Started() implements End {}

        /** Nobody may or can prefill it. */
        record Refused(Reason reason, String detail) implements End {}

        /** The request ended meanwhile. */
        record Aborted() implements End {}
    }

    private final Engine engine;
    private final PrefillChoice choice;
    private final KvStreams streams;
    private final int attempts;
    private final LongSupplier ids;

    PromptPrefill(Engine engine, PrefillChoice choice, KvStreams streams, int attempts, LongSupplier ids) {
        this.engine = engine;
        this.choice = choice;
        this.streams = streams;
        this.attempts = attempts;
        this.ids = ids;
    }

    /** Prepares the remote part, so that the request can abort it from the start. */
    RemotePrefill remote(DecodeOrder order, SequenceRoot root, GenerationHandle sequence, RouteRecord route) {
        return new RemotePrefill(engine, streams, order, root, sequence, route, attempts, ids);
    }

    /**
     * Gets an admitted sequence prefilled; blocks while a prefill node is at work.
     *
     * @param cachedTokens of {@code totalTokens}, in this node's own cache
     */
    End run(
            DecodeOrder order,
            RemotePrefill remote,
            GenerationHandle sequence,
            int cachedTokens,
            int totalTokens,
            RouteRecord route,
            FirstTokenTimes times) {
        boolean localAllowed = order.policy() == FallbackPolicy.FALLBACK_POLICY_LOCAL_PREFILL;
        PrefillChoice.Situation situation = new PrefillChoice.Situation(
                wanted(order), totalTokens, cachedTokens, load(), localAllowed, timeLeftMicros());
        Place place = choice.decide(situation, candidates(order));
        times.decided();
        route.reason(RouteRecord.reasonOf(place.reason()));
        return switch (place) {
            case Place.Local local -> {
                sequence.prefillLocally();
                yield new End.Started();
            }
            case Place.Nowhere nowhere ->
                new End.Refused(Reason.REASON_NO_PREFILL_NODE, "remote prefill was asked for and no node was ranked");
            case Place.Remote far -> {
                Duration reserve = localAllowed ? Duration.of(far.reserveMicros(), ChronoUnit.MICROS) : Duration.ZERO;
                RemotePrefill.End end = askOthers(remote, far.candidates(), cachedTokens, reserve, route);
                yield switch (end) {
                    case RemotePrefill.End.Delivered delivered -> {
                        times.verified(delivered.complete().senderTimes());
                        delivered.lease().activate(delivered.complete().hidden());
                        yield new End.Started();
                    }
                    case RemotePrefill.End.Undelivered undelivered -> {
                        times.gaveUp();
                        route.reason(undelivered.reason());
                        if (!localAllowed) {
                            yield new End.Refused(undelivered.reason(), undelivered.detail());
                        }
                        sequence.prefillLocally();
                        yield new End.Started();
                    }
                    case RemotePrefill.End.Aborted aborted -> new End.Aborted();
                };
            }
        };
    }

    private RemotePrefill.End askOthers(
            RemotePrefill remote,
            List<PrefillCandidate> candidates,
            int cachedTokens,
            Duration reserve,
            RouteRecord route) {
        if (!streams.tryEnter()) {
            String detail = "this node has %d KV streams open, its limit".formatted(streams.limit());
            route.event(Reason.REASON_PREFILL_OVERLOADED, "", detail);
            return new RemotePrefill.End.Undelivered(Reason.REASON_PREFILL_OVERLOADED, detail);
        }
        try {
            return remote.run(candidates, cachedTokens, reserve);
        } finally {
            streams.leave();
        }
    }

    /** This node's load as routing sees it. */
    NodeLoad load() {
        EngineLoad load = engine.load();
        return new NodeLoad(
                load.queuedPrefillTokens(),
                load.runningSequences(),
                load.waitingSequences(),
                load.freeBlocks(),
                load.cachedBlocks(),
                load.usedBlocks(),
                load.prefillTokensPerSecond(),
                load.decodeStepMicros(),
                streams.rate().bytesPerSecond());
    }

    private static List<PrefillCandidate> candidates(DecodeOrder order) {
        return order.candidates().stream()
                .map(ranked -> new PrefillCandidate(
                        ranked.getNode(),
                        Math.max(0, ranked.getEstimatedMicros()),
                        Math.max(0, ranked.getCachedTokens())))
                .toList();
    }

    private static PrefillPlace wanted(DecodeOrder order) {
        return switch (order.mode()) {
            case PREFILL_MODE_LOCAL -> PrefillPlace.LOCAL;
            case PREFILL_MODE_REMOTE -> PrefillPlace.REMOTE;
            case PREFILL_MODE_UNSPECIFIED, PREFILL_MODE_AUTO, UNRECOGNIZED -> PrefillPlace.AUTO;
        };
    }

    private static OptionalLong timeLeftMicros() {
        Deadline deadline = Context.current().getDeadline();
        return deadline == null
                ? OptionalLong.empty()
                : OptionalLong.of(Math.max(0, deadline.timeRemaining(TimeUnit.MICROSECONDS)));
    }
}

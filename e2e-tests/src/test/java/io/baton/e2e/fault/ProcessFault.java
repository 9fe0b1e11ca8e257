package io.baton.e2e.fault;

import io.baton.client.BatonException;
import io.baton.client.Fallback;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One row: a signal that reaches a process while a request is in a phase, and how the request must end.
 *
 * @param policy what the request allows when prefill fails
 */
record ProcessFault(Signal signal, Victim victim, ProcessPhase phase, Fallback policy, Outcome outcome) {

    /** The order of {@link FaultTable}. */
    static final Comparator<ProcessFault> BY_CAUSE = Comparator.comparing(ProcessFault::victim)
            .thenComparing(ProcessFault::signal)
            .thenComparing(ProcessFault::policy)
            .thenComparing(ProcessFault::phase);

    /** What happens to the process. */
    enum Signal {
        /** It is gone; another one is started in its place. */
        SIGKILL("dies"),
        /** It neither computes nor answers nor closes; it goes on when the row is over. */
        SIGSTOP("stops answering");

        private final String words;

        Signal(String words) {
            this.words = words;
        }
    }

    /** Whom it happens to. */
    enum Victim {
        /** The prefill node that has the request. */
        PREFILL("the prefill node"),
        EVERY_PREFILL("every prefill node"),
        /** The decode node that has the request. */
        DECODE("the decode node"),
        EVERY_DECODE("every decode node"),
        GATEWAY("the gateway");

        private final String words;

        Victim(String words) {
            this.words = words;
        }

        /** @param prefillNodes those that the request concerns now */
        List<ClusterPlace> places(ProcessCluster cluster, List<ClusterPlace> prefillNodes) {
            return switch (this) {
                case PREFILL -> prefillNodes.subList(0, 1);
                case EVERY_PREFILL -> cluster.prefills();
                case DECODE -> cluster.decodesWhere(now -> now.waiting() + now.running() > 0);
                case EVERY_DECODE -> cluster.decodes();
                case GATEWAY -> List.of(cluster.gateway());
            };
        }

        /** Those of which one must have the request's work once the loss of {@code lost} is noticed. */
        List<ClusterPlace> successors(ProcessCluster cluster, List<ClusterPlace> lost) {
            return switch (this) {
                case PREFILL -> cluster.prefillsWhere(lost, Gauges::isBusy);
                case DECODE -> cluster.decodesWhere(lost, Gauges::isBusy);
                case EVERY_PREFILL -> cluster.decodesWhere(now -> now.prefillTokens() > 0);
                case EVERY_DECODE, GATEWAY -> List.of();
            };
        }
    }

    /** How the request must end. */
    sealed interface Outcome {

        /**
         * As if nothing had happened.
         *
         * @param noticed from the signal until another node has the work, at most
         * @param reasons of the fallbacks in the response's route
         */
        record Answer(Duration noticed, List<String> reasons) implements Outcome {}

        /**
         * With a status.
         *
         * @param bound from the signal on
         * @param deadline of the request, if it has one
         */
        record Failure(BatonException.Kind kind, Duration bound, Optional<Duration> deadline) implements Outcome {}
    }

    /** The answer comes, and its route tells of these fallbacks; of none if nobody need notice. */
    static Outcome answer(Duration noticed, String... reasons) {
        return new Outcome.Answer(noticed, List.of(reasons));
    }

    /** UNAVAILABLE comes, though the request has time. */
    static Outcome unavailable(Duration bound) {
        return new Outcome.Failure(BatonException.Kind.UNAVAILABLE, bound, Optional.empty());
    }

    /** Nothing comes before the request's deadline. */
    static Outcome late(Duration deadline) {
        return new Outcome.Failure(
                BatonException.Kind.DEADLINE_EXCEEDED, deadline.plusSeconds(1), Optional.of(deadline));
    }

    /** Prefill nodes that the row needs: one that is lost may be needed as much as one that goes on. */
    int prefillNodes() {
        boolean several = victim == Victim.PREFILL || victim == Victim.EVERY_PREFILL || phase == ProcessPhase.QUEUED;
        return several ? 2 : 1;
    }

    /** Decode nodes that the row needs. */
    int decodeNodes() {
        return victim == Victim.DECODE || victim == Victim.EVERY_DECODE ? 2 : 1;
    }

    /** The row's cells in {@link FaultTable}. */
    FaultTable.Row inWords() {
        String cause = victim.words + " " + signal.words;
        String allowed = "`" + policy + "`";
        return switch (outcome) {
            case Outcome.Answer answer ->
                new FaultTable.Row(
                        cause,
                        phase.inWords(),
                        allowed,
                        answer.reasons().isEmpty() ? "the answer, undisturbed" : "the answer, " + successor(),
                        answer.reasons().isEmpty() ? "–" : FaultTable.seconds(answer.noticed()),
                        answer.reasons());
            case Outcome.Failure failure ->
                new FaultTable.Row(
                        cause,
                        phase.inWords(),
                        allowed,
                        "`" + failure.kind() + "`",
                        failure.deadline().isPresent() ? "the request's deadline" : FaultTable.seconds(failure.bound()),
                        List.of());
        };
    }

    private String successor() {
        return switch (victim) {
            case PREFILL -> "by the next prefill node";
            case EVERY_PREFILL -> "prefilled by the decode node";
            case DECODE, EVERY_DECODE -> "continued by another decode node";
            case GATEWAY -> throw new IllegalStateException("nobody takes a gateway's place within a request");
        };
    }

    @Override
    public String toString() {
        return "%s of %s, %s, %s".formatted(signal, victim, phase, policy).toLowerCase(Locale.ROOT);
    }
}

package io.baton.routing;

import static io.baton.routing.PrefillPlace.AUTO;
import static io.baton.routing.PrefillPlace.LOCAL;
import static io.baton.routing.PrefillPlace.REMOTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.routing.PrefillChoice.Place;
import io.baton.routing.PrefillChoice.Situation;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class PrefillChoiceTest {

    private static final PrefillCandidate FAST = new PrefillCandidate("p:1", 300_000, 0);
    private static final PrefillCandidate SLOW = new PrefillCandidate("p:2", 3_000_000, 0);

    // 1,000 tokens take an idle decode node 1 s.
    private final PrefillChoice choice =
            new PrefillChoice(new CostModel(TestingCluster.GEOMETRY, CostParameters.DEFAULT));

    @Test
    void theEarlierFirstTokenWins() {
        assertThat(choice.decide(situation(AUTO, 0), List.of(FAST, SLOW)))
                .isEqualTo(new Place.Remote(RouteReason.COST_REMOTE, List.of(FAST, SLOW), 1_000_000));
        assertThat(choice.decide(situation(AUTO, 0), List.of(SLOW)))
                .isEqualTo(new Place.Local(RouteReason.COST_LOCAL, 1_000_000));
        assertThat(choice.decide(situation(AUTO, 800), List.of(FAST)))
                .as("200 tokens are left")
                .isEqualTo(new Place.Local(RouteReason.COST_LOCAL, 200_000));
    }

    @Test
    void aWholeCachedPrefixStaysLocal() {
        assertThat(choice.decide(situation(AUTO, 992), List.of(FAST)).reason()).isEqualTo(RouteReason.CACHED);
        assertThat(choice.decide(situation(REMOTE, 992), List.of(FAST)).reason())
                .isEqualTo(RouteReason.REQUESTED);
    }

    @Test
    void whatTheRequestAsksForGoesBeforeCost() {
        assertThat(choice.decide(situation(LOCAL, 0), List.of(FAST)))
                .isEqualTo(new Place.Local(RouteReason.REQUESTED, 1_000_000));
        assertThat(choice.decide(situation(REMOTE, 0), List.of(SLOW)))
                .isEqualTo(new Place.Remote(RouteReason.REQUESTED, List.of(SLOW), 1_000_000));
    }

    @Test
    void withoutCandidatesPolicyDecides() {
        assertThat(choice.decide(situation(AUTO, 0), List.of()).reason()).isEqualTo(RouteReason.NO_PREFILL_NODE);
        assertThat(choice.decide(situation(REMOTE, 0), List.of())).isInstanceOf(Place.Local.class);
        assertThat(choice.decide(
                        new Situation(REMOTE, 1_000, 0, TestingCluster.idle(), false, OptionalLong.empty()), List.of()))
                .isEqualTo(new Place.Nowhere(RouteReason.NO_PREFILL_NODE));
    }

    @Test
    void timeForLocalPrefillIsKeptInReserve() {
        assertThat(choice.decide(
                        new Situation(AUTO, 1_000, 0, TestingCluster.idle(), true, OptionalLong.of(1_200_000)),
                        List.of(FAST)))
                .isEqualTo(new Place.Local(RouteReason.DEADLINE_RESERVE, 1_000_000));
        assertThat(choice.decide(
                        new Situation(AUTO, 1_000, 0, TestingCluster.idle(), true, OptionalLong.of(900_000)),
                        List.of(FAST)))
                .as("local would be late anyway")
                .isInstanceOf(Place.Remote.class);
    }

    @Test
    void sequencesThatRunCountWhatLocalPrefillTakesFromThem() {
        PrefillCandidate even = new PrefillCandidate("p:1", 1_100_000, 0);
        assertThat(choice.decide(situation(AUTO, 0), List.of(even))).isInstanceOf(Place.Local.class);
        assertThat(choice.decide(
                        new Situation(AUTO, 1_000, 0, TestingCluster.load(0, 8), true, OptionalLong.empty()),
                        List.of(even)))
                .isInstanceOf(Place.Remote.class);
    }

    private static Situation situation(PrefillPlace wanted, int cached) {
        return new Situation(wanted, 1_000, cached, TestingCluster.idle(), true, OptionalLong.empty());
    }
}

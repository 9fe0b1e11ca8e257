package io.baton.gateway;

import static io.baton.gateway.GatewayFixture.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.Reason;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.RouteEvent;
import io.baton.testing.Waiting;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class DecodeLossTest {

    /** Fails the first {@code failures} calls that any node gets, then answers. */
    private static ScriptedNode.Script failing(int failures, ScriptedNode.Script how) {
        AtomicInteger left = new AtomicInteger(failures);
        return call -> {
            if (left.getAndDecrement() > 0) {
                how.decode(call);
            } else {
                call.answer();
            }
        };
    }

    private static ScriptedNode.Script ending(Status status) {
        return call -> call.events().onError(status.asRuntimeException());
    }

    @Test
    void aLossBeforeTheFirstTokenIsMadeGoodElsewhereAndReported() throws InterruptedException {
        ScriptedNode.Script script = failing(1, ending(Status.UNAVAILABLE.withDescription("gone")));
        try (ScriptedNode one = ScriptedNode.decode(script);
                ScriptedNode two = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(one, two)) {
            List<GenerateEvent> events = fixture.generate(request(3));
            Route route = events.getLast().getFinished().getRoute();
            String lost = route.getDecodeNode().equals(one.address()) ? two.address() : one.address();
            assertThat(route.getEventsList()).hasSize(1);
            RouteEvent event = route.getEvents(0);
            assertThat(event.getReason()).isEqualTo(Reason.REASON_DECODE_LOST);
            assertThat(event.getNode()).isEqualTo(lost);
            assertThat(event.getDetail()).contains("gone");
            assertThat(indices(events)).containsExactly(0, 1, 2);
        }
    }

    @Test
    void aSequenceThatHasBegunGoesOnElsewhereWithItsTokens() throws InterruptedException {
        ScriptedNode.Script script = failing(1, call -> {
            call.token(0, 100);
            call.token(1, 101);
            call.events().onError(Status.UNAVAILABLE.asRuntimeException());
        });
        try (ScriptedNode one = ScriptedNode.decode(script);
                ScriptedNode two = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(one, two)) {
            List<GenerateEvent> events = fixture.generate(request(5));
            assertThat(indices(events)).containsExactly(0, 1, 2, 3, 4);
            String last = events.getLast().getFinished().getRoute().getDecodeNode();
            ScriptedNode survivor = last.equals(one.address()) ? one : two;
            var second = survivor.calls.take().request();
            assertThat(second.getEmittedTokenIdsList()).containsExactly(100, 101);
            assertThat(second.getStop().getMaxTokens()).isEqualTo(5);
            assertThat(second.getContext().getAttempt()).isEqualTo(2);
            assertThat(second.getSeed())
                    .isEqualTo(events.getFirst().getStarted().getSeed());
            assertThat(events.getLast().getFinished().getUsage().getOutputTokens())
                    .isEqualTo(5);
        }
    }

    @Test
    void aNodeThatDiesIsLostLikeOneThatSaysSo() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        ScriptedNode.Script script = call -> {
            if (calls.getAndIncrement() == 0) {
                call.token(0, 100); // and then nothing: the test kills the node
            } else {
                call.answer();
            }
        };
        try (ScriptedNode one = ScriptedNode.decode(script);
                ScriptedNode two = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(one, two)) {
            Iterator<GenerateEvent> stream = fixture.client().generate(request(4));
            List<GenerateEvent> events = new ArrayList<>(List.of(stream.next(), stream.next()));
            (one.calls.isEmpty() ? two : one).close();
            stream.forEachRemaining(events::add);
            assertThat(indices(events)).containsExactly(0, 1, 2, 3);
            assertThat(events.getLast().getFinished().getRoute().getEvents(0).getReason())
                    .isEqualTo(Reason.REASON_DECODE_LOST);
        }
    }

    @Test
    void aNodeWithoutTokensAndHeartbeatsIsGivenUp() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        ScriptedNode.Script script = call -> {
            if (calls.getAndIncrement() > 0) {
                call.answer();
            }
        };
        try (ScriptedNode one = ScriptedNode.decode(script);
                ScriptedNode two = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(one, two)) {
            Iterator<GenerateEvent> stream = fixture.client().generate(request(2));
            stream.next();
            Waiting.until("a call has come", () -> one.calls.size() + two.calls.size() == 1);
            ScriptedNode silent = one.calls.isEmpty() ? two : one;
            ScriptedNode speaking = one.calls.isEmpty() ? one : two;
            fixture.nowMillis.addAndGet(3_500);
            speaking.stored(List.of()); // one node is heard of, the other is not
            speaking.stored(List.of(new io.baton.kv.BlockKey(1, 2)));
            List<GenerateEvent> events = new ArrayList<>();
            stream.forEachRemaining(events::add);
            assertThat(indices(events)).containsExactly(0, 1);
            assertThat(events.getLast().getFinished().getRoute().getEvents(0).getNode())
                    .isEqualTo(silent.address());
            assertThat(silent.calls.take().cancelled().await(10, java.util.concurrent.TimeUnit.SECONDS))
                    .as("and what it still had is cancelled")
                    .isTrue();
        }
    }

    @Test
    void thePolicyCanForbidToGoOnElsewhereOnceTokensWereEmitted() throws InterruptedException {
        ScriptedNode.Script script = failing(1, call -> {
            call.token(0, 100);
            call.events().onError(Status.UNAVAILABLE.asRuntimeException());
        });
        try (ScriptedNode one = ScriptedNode.decode(script);
                ScriptedNode two = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(one, two)) {
            Status status = fixture.refusal(
                    request(3, builder -> builder.setFallbackPolicy(FallbackPolicy.FALLBACK_POLICY_FAIL)));
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status.getDescription()).contains("was lost");
            assertThat(one.calls.size() + two.calls.size()).isEqualTo(1);
        }
    }

    @Test
    void aFullOrChangedNodeIsLeftForAnotherBeforeTheFirstToken() throws InterruptedException {
        for (Status status : List.of(Status.RESOURCE_EXHAUSTED, Status.FAILED_PRECONDITION)) {
            ScriptedNode.Script script = failing(1, ending(status));
            try (ScriptedNode one = ScriptedNode.decode(script);
                    ScriptedNode two = ScriptedNode.decode(script);
                    GatewayFixture fixture = GatewayFixture.over(one, two)) {
                Route route =
                        fixture.generate(request(1)).getLast().getFinished().getRoute();
                assertThat(route.getEvents(0).getReason())
                        .isEqualTo(
                                status.getCode() == Status.Code.RESOURCE_EXHAUSTED
                                        ? Reason.REASON_DECODE_OVERLOADED
                                        : Reason.REASON_FINGERPRINT_MISMATCH);
            }
        }
    }

    @Test
    void whatPolicyForbadeADecodeNodeIsNotTriedAgain() throws InterruptedException {
        ScriptedNode.Script script = call -> {
            Metadata trailers = new Metadata();
            trailers.put(Refusals.REASON, Reason.REASON_PREFILL_STALLED.name());
            call.events()
                    .onError(Status.UNAVAILABLE
                            .withDescription("prefill failed and the policy says fail")
                            .asRuntimeException(trailers));
        };
        try (ScriptedNode one = ScriptedNode.decode(script);
                ScriptedNode two = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(one, two)) {
            assertThat(fixture.refusal(request(1)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(one.calls.size() + two.calls.size()).isEqualTo(1);
        }
    }

    @Test
    void anInternalErrorOfASequenceIsItsOwnAndNotTriedElsewhere() throws InterruptedException {
        ScriptedNode.Script script = ending(Status.INTERNAL.withDescription("non-finite activation"));
        try (ScriptedNode one = ScriptedNode.decode(script);
                ScriptedNode two = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(one, two)) {
            assertThat(fixture.refusal(request(1)).getCode()).isEqualTo(Status.Code.INTERNAL);
            assertThat(one.calls.size() + two.calls.size()).isEqualTo(1);
        }
    }

    @Test
    void afterThreeAttemptsItIsOver() throws InterruptedException {
        ScriptedNode.Script script = ending(Status.UNAVAILABLE);
        List<ScriptedNode> nodes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            nodes.add(ScriptedNode.decode(script));
        }
        try (GatewayFixture fixture = GatewayFixture.over(nodes.toArray(ScriptedNode[]::new))) {
            assertThat(fixture.refusal(request(1)).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(nodes.stream().mapToInt(node -> node.calls.size()).sum()).isEqualTo(3);
        } finally {
            nodes.forEach(ScriptedNode::close);
        }
    }

    @Test
    void withNobodyLeftTheLossAndTheReasonAreBothTold() throws InterruptedException {
        try (ScriptedNode only = ScriptedNode.decode(ending(Status.UNAVAILABLE.withDescription("gone")));
                GatewayFixture fixture = GatewayFixture.over(only)) {
            Status status = fixture.refusal(request(1));
            assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(status.getDescription()).contains("gone", "cannot go on elsewhere");
        }
    }

    @Test
    void aRepeatedTokenIsDroppedAndAMissingOneIsAnError() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(call -> {
                    call.token(0, 100);
                    call.token(0, 100);
                    call.token(1, 101);
                    call.finish(2);
                });
                GatewayFixture fixture = GatewayFixture.over(node)) {
            assertThat(indices(fixture.generate(request(2)))).containsExactly(0, 1);
        }
        try (ScriptedNode node = ScriptedNode.decode(call -> {
                    call.token(0, 100);
                    call.token(2, 102);
                });
                GatewayFixture fixture = GatewayFixture.over(node)) {
            Status status = fixture.refusal(request(3));
            assertThat(status.getCode()).isEqualTo(Status.Code.INTERNAL);
            assertThat(status.getDescription()).contains("expected token 1");
        }
    }

    private static List<Integer> indices(List<GenerateEvent> events) {
        return events.stream()
                .filter(GenerateEvent::hasToken)
                .map(event -> event.getToken().getIndex())
                .toList();
    }
}

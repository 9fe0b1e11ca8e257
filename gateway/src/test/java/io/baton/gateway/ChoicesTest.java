package io.baton.gateway;

import static io.baton.gateway.GatewayFixture.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.ChoiceFinish;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.FinishReason;
import io.baton.proto.v1.Finished;
import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.KnownOutput;
import io.baton.proto.v1.Reason;
import io.baton.proto.v1.Token;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a gateway promises of several answers to one prompt. */
class ChoicesTest {

    @Test
    void severalAnswersAreOneDecodeStreamAndOneFinished() throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(call -> {
                    call.token(3, 0, 100);
                    call.token(4, 0, 200);
                    call.token(4, 1, 201);
                    call.choiceFinished(4, "?");
                    call.token(3, 1, 101);
                    call.token(3, 2, 102);
                    call.finish(3, 5);
                });
                GatewayFixture fixture = GatewayFixture.over(node)) {
            List<GenerateEvent> events =
                    fixture.generate(request(3, b -> b.setChoices(2).setFirstChoice(3)));
            DecodeRequest decode = node.calls.take().request();
            assertThat(decode.getChoices()).isEqualTo(2);
            assertThat(decode.getFirstChoice()).isEqualTo(3);
            assertThat(decode.getKnownOutputsList()).isEmpty();
            assertThat(texts(events, 3)).containsExactly("t100", "t101", "t102");
            assertThat(texts(events, 4)).containsExactly("t200", "t201");
            Finished finished = events.getLast().getFinished();
            assertThat(events).filteredOn(GenerateEvent::hasFinished).hasSize(1);
            assertThat(finished.getChoicesList())
                    .extracting(ChoiceFinish::getChoice)
                    .as("by number")
                    .containsExactly(3, 4);
            assertThat(finished.getChoices(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
            assertThat(finished.getChoices(1).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
            assertThat(finished.getChoices(1).getText()).isEqualTo("?");
            assertThat(finished.getUsage().getOutputTokens()).isEqualTo(5);
            assertThat(finished.getTtft().getTotalMicros()).isPositive();
        }
    }

    @Test
    void afterALossOnlyUnfinishedAnswersGoOnEachFromItsOwnTokens() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        ScriptedNode.Script script = call -> {
            if (calls.getAndIncrement() == 0) {
                call.token(0, 0, 100);
                call.token(1, 0, 200);
                call.token(2, 0, 300);
                call.token(0, 1, 101);
                call.choiceFinished(1, "!!");
                call.events().onError(Status.UNAVAILABLE.asRuntimeException());
            } else {
                call.token(2, 1, 301);
                call.token(0, 2, 102);
                call.choiceFinished(0, "");
                call.finish(2, 5);
            }
        };
        try (ScriptedNode one = ScriptedNode.decode(script);
                ScriptedNode two = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(one, two)) {
            List<GenerateEvent> events = fixture.generate(request(3, b -> b.setChoices(3)));
            Finished finished = events.getLast().getFinished();
            assertThat(finished.getRoute().getEvents(0).getReason()).isEqualTo(Reason.REASON_DECODE_LOST);
            ScriptedNode survivor = finished.getRoute().getDecodeNode().equals(one.address()) ? one : two;
            DecodeRequest second = survivor.calls.take().request();
            assertThat(second.getChoices()).isEqualTo(3);
            assertThat(second.getEmittedTokenIdsList()).isEmpty();
            assertThat(second.getKnownOutputsList())
                    .containsExactly(
                            KnownOutput.newBuilder()
                                    .setChoice(0)
                                    .addEmittedTokenIds(100)
                                    .addEmittedTokenIds(101)
                                    .build(),
                            KnownOutput.newBuilder()
                                    .setChoice(2)
                                    .addEmittedTokenIds(300)
                                    .build());
            assertThat(texts(events, 0)).containsExactly("t100", "t101", "t102");
            assertThat(texts(events, 1)).containsExactly("t200");
            assertThat(texts(events, 2)).containsExactly("t300", "t301");
            assertThat(finished.getChoicesList())
                    .extracting(ChoiceFinish::getText)
                    .as("what the lost node said of an answer's end counts")
                    .containsExactly("", "!!", "!");
            assertThat(finished.getUsage().getOutputTokens()).isEqualTo(3 + 1 + 2);
        }
    }

    @Test
    void aNodeThatBreaksTheOrderOfEventsIsAnErrorThatSaysHow() throws InterruptedException {
        assertThat(brokenBy(call -> call.token(5, 0, 100))).contains("something of choice 5", "one of [0, 1]");
        assertThat(brokenBy(call -> {
                    call.token(0, 0, 100);
                    call.choiceFinished(0, "");
                    call.token(0, 1, 101);
                }))
                .contains("something of choice 0", "one of [1]");
        assertThat(brokenBy(call -> call.token(1, 1, 100))).contains("token 1 of choice 1", "expected token 0");
        assertThat(brokenBy(call -> call.finish(0, 0))).contains("the ends of choices [1] first");
    }

    private static String brokenBy(ScriptedNode.Script script) throws InterruptedException {
        try (ScriptedNode node = ScriptedNode.decode(script);
                GatewayFixture fixture = GatewayFixture.over(node)) {
            Status status = fixture.refusal(request(3, b -> b.setChoices(2)));
            assertThat(status.getCode()).isEqualTo(Status.Code.INTERNAL);
            return String.valueOf(status.getDescription());
        }
    }

    private static List<String> texts(List<GenerateEvent> events, int choice) {
        return events.stream()
                .filter(GenerateEvent::hasToken)
                .map(GenerateEvent::getToken)
                .filter(token -> token.getChoice() == choice)
                .map(Token::getText)
                .toList();
    }
}

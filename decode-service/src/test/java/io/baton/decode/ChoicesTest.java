package io.baton.decode;

import static io.baton.decode.NodeUnderTest.local;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.GenerationRequest;
import io.baton.proto.v1.DecodeChoiceFinished;
import io.baton.proto.v1.DecodeFinished;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.DecodeToken;
import io.baton.proto.v1.FallbackPolicy;
import io.baton.proto.v1.FinishReason;
import io.baton.proto.v1.KnownOutput;
import io.baton.proto.v1.StopConditions;
import io.baton.testing.ByteVocabulary;
import io.baton.testing.Waiting;
import io.grpc.Status;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a decode node promises of several answers to one prompt. */
@Timeout(30)
class ChoicesTest {

    private static final int PROMPT_BLOCKS = 7; // six whole ones and a partial one

    private final NodeUnderTest decode = new NodeUnderTest();

    @BeforeEach
    void eachChoiceSaysSomethingElse() {
        // choice 0 says abcd…, choice 1 bcde…
        decode.engine.choiceTokens =
                (choice, index) -> ByteVocabulary.tokens("abcdefghijklmnopqrstuvwxyz")[choice + index];
    }

    @AfterEach
    void everyBlockIsFreeAgain() {
        decode.assertPoolAtBaseline();
        decode.close();
    }

    @Test
    void eachChoiceIsNumberedConsecutiveAndEndsOnce() throws Exception {
        Answer answer = decode.ask(local().setChoices(3));
        DecodeFinished finished = answer.finished();
        for (int choice = 0; choice < 3; choice++) {
            assertThat(answer.tokens(choice)).extracting(DecodeToken::getIndex).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
        }
        assertThat(answer.text(0)).isEqualTo("abcdefgh");
        assertThat(answer.text(2)).isEqualTo("cdefghij");
        assertThat(answer.choicesFinished())
                .extracting(DecodeChoiceFinished::getChoice)
                .as("those that ended before the last")
                .containsExactly(0, 1);
        assertThat(finished.getChoice()).isEqualTo(2);
        assertThat(finished.getUsage().getOutputTokens()).as("of all choices").isEqualTo(24);
        assertThat(finished.getUsage().getPromptTokens()).isEqualTo(NodeUnderTest.PROMPT_TOKENS);
        assertThat(answer.tokens())
                .as("the parts of the first token's time come once")
                .filteredOn(DecodeToken::hasTtft)
                .hasSize(1);
        assertThat(decode.engine.sequences).as("one prompt").hasSize(1);
    }

    @Test
    void theFirstChoicesNumberReachesTheEngine() throws Exception {
        Answer answer = decode.ask(local().setFirstChoice(5));
        assertThat(answer.finished().getChoice()).isEqualTo(5);
        assertThat(answer.text(5)).isEqualTo("fghijklm");
        assertThat(decode.engine.sequences.getFirst().request.answers())
                .extracting(GenerationRequest.Answer::choice)
                .containsExactly(5);
    }

    @Test
    void eachChoiceHasItsOwnStopAndItsOwnHeldText() throws Exception {
        Answer answer = decode.ask(local().setChoices(3)
                .setStop(StopConditions.newBuilder()
                        .setMaxTokens(4)
                        .addStrings("cd")
                        .addStrings("fgh")));
        DecodeFinished finished = answer.finished();
        assertThat(answer.text(0)).isEqualTo("ab");
        assertThat(answer.text(1)).isEqualTo("b");
        assertThat(answer.text(2)).as("\"cd\" is complete at its second token").isEmpty();
        assertThat(answer.tokens(2)).hasSize(2);
        assertThat(answer.choicesFinished())
                .extracting(DecodeChoiceFinished::getChoice)
                .containsExactly(2, 1);
        assertThat(answer.choicesFinished())
                .extracting(DecodeChoiceFinished::getReason)
                .containsOnly(FinishReason.FINISH_REASON_STOP);
        assertThat(finished.getChoice()).isZero();
        assertThat(finished.getUsage().getOutputTokens()).isEqualTo(4 + 3 + 2);
        Answer held = decode.ask(local().setFirstChoice(3)
                .setChoices(2)
                .setStop(StopConditions.newBuilder().setMaxTokens(4).addStrings("fghx")));
        held.finished();
        assertThat(held.text(3))
                .as("what was held back for a stop that never came")
                .isEqualTo("defg");
        assertThat(held.choicesFinished().getFirst().getText()).isEqualTo("fg");
        assertThat(held.text(4)).isEqualTo("efgh");
    }

    @Test
    void aPromptPrefilledElsewhereIsReceivedOnceForAllChoices() throws Exception {
        try (ScriptedPrefillNode prefill = ScriptedPrefillNode.serving();
                NodeUnderTest remote = new NodeUnderTest(prefill)) {
            remote.engine.choiceTokens = decode.engine.choiceTokens;
            Answer answer = remote.ask(NodeUnderTest.remote(FallbackPolicy.FALLBACK_POLICY_FAIL, prefill)
                    .setChoices(4));
            DecodeFinished finished = answer.finished();
            assertThat(finished.getRoute().getKvBlocksReceived()).isEqualTo(PROMPT_BLOCKS);
            assertThat(answer.text(3)).isEqualTo("defghijk");
            remote.assertPoolAtBaseline();
        }
    }

    @Test
    void unfinishedChoicesGoOnWhereAnotherNodeLeftThem() throws Exception {
        DecodeRequest.Builder request = local().setChoices(4)
                .setStop(StopConditions.newBuilder().setMaxTokens(8).addStrings("fgx"))
                .addKnownOutputs(known(0, "abc", "de"))
                .addKnownOutputs(known(2, "", ""))
                .addKnownOutputs(known(3, "def", ""));
        Answer answer = decode.ask(request);
        DecodeFinished finished = answer.finished();
        assertThat(answer.tokens(0)).extracting(DecodeToken::getIndex).containsExactly(5, 6, 7);
        assertThat(answer.text(0)).as("the withheld \"de\" is said again").isEqualTo("defgh");
        assertThat(answer.tokens(1)).as("it had finished").isEmpty();
        assertThat(answer.text(2)).isEqualTo("cdefghij");
        assertThat(answer.text(3))
                .as("its \"f\" was held back, and still is until \"h\" comes")
                .isEqualTo("fghijk");
        assertThat(finished.getUsage().getOutputTokens()).isEqualTo(24);
        List<GenerationRequest.Answer> asked =
                decode.engine.sequences.getFirst().request.answers();
        assertThat(asked).extracting(GenerationRequest.Answer::choice).containsExactly(0, 2, 3);
        assertThat(asked.get(0).emittedTokens()).isEqualTo(ByteVocabulary.tokens("abcde"));
    }

    @Test
    void aChoiceThatIsCompleteAlreadyIsNotGenerated() throws Exception {
        DecodeRequest.Builder request = local().setChoices(3)
                .setStop(StopConditions.newBuilder().setMaxTokens(5).addStrings("de"))
                .addKnownOutputs(known(0, "abc", "de"))
                .addKnownOutputs(known(1, "b", ""))
                .addKnownOutputs(known(2, "cdxyz", ""));
        Answer answer = decode.ask(request);
        DecodeFinished finished = answer.finished();
        assertThat(answer.choicesFinished()).hasSize(2);
        assertThat(answer.choicesFinished().get(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(answer.choicesFinished().get(1).getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
        assertThat(finished.getChoice()).isEqualTo(1);
        assertThat(answer.text(1)).isEqualTo("c");
        assertThat(finished.getUsage().getOutputTokens()).isEqualTo(5 + 4 + 5);
        GenerationRequest asked = decode.engine.sequences.getFirst().request;
        assertThat(asked.emittedTokens())
                .as("the only one left goes on as one alone does")
                .isEqualTo(ByteVocabulary.tokens("b"));

        Answer nothingLeft = decode.ask(request.clearKnownOutputs()
                .addKnownOutputs(known(0, "abcde", ""))
                .addKnownOutputs(known(1, "bcde", "")));
        assertThat(nothingLeft.finished().getUsage().getOutputTokens()).isEqualTo(9);
        assertThat(nothingLeft.choicesFinished()).hasSize(1);
        assertThat(decode.engine.sequences).hasSize(1);
    }

    @Test
    void choicesOutOfRangeAreRefusedByTheNameOfTheField() throws Exception {
        refused("choices must be at most 16, found 17", request -> request.setChoices(17));
        refused("choices must be at most 16, found 4294967295", request -> request.setChoices(-1));
        refused("first_choice must be at most 65535, found 65536", request -> request.setFirstChoice(65_536));
        refused("emitted_token_ids", request -> request.setChoices(2).addEmittedTokenIds(100));
        refused("known_outputs names choice 2", request -> request.setChoices(2).addKnownOutputs(known(2, "", "")));
        refused(
                "known_outputs names choice 1 twice",
                request ->
                        request.setChoices(2).addKnownOutputs(known(1, "", "")).addKnownOutputs(known(1, "", "")));
        refused(
                "known_outputs.emitted_token_ids[0] is 1000",
                request -> request.setChoices(2)
                        .addKnownOutputs(KnownOutput.newBuilder().addEmittedTokenIds(1000)));
    }

    @Test
    void aCancelEndsAllChoices() throws Exception {
        decode.engine.allowSteps(3);
        Answer answer = decode.ask(local().setChoices(3)).awaitFirstToken();
        answer.cancel();
        assertThat(answer.status().getCode()).isEqualTo(Status.Code.CANCELLED);
        Waiting.until(
                "it has ended",
                NodeUnderTest.GONE_WITHIN,
                () -> decode.engine.sequences.getFirst().hasEnded());
    }

    @Test
    void aGatewayThatDoesNotReadLosesAllChoices() throws Exception {
        try (NodeUnderTest narrow = new NodeUnderTest(List.of(), settings -> settings.withMaxBufferedEvents(64))) {
            narrow.engine.scheduler.submit(() -> narrow.engine.capacity = 200).get();
            Answer deaf = narrow.ask(
                    local().setLogprobs(20)
                            .setChoices(3)
                            .setStop(StopConditions.newBuilder().setMaxTokens(400)),
                    Answer.notReading());
            Waiting.until(
                    "the sequence has ended",
                    NodeUnderTest.GONE_WITHIN,
                    () -> !narrow.engine.sequences.isEmpty()
                            && narrow.engine.sequences.getFirst().hasEnded());
            assertThat(narrow.engine.sequences.getFirst().steps())
                    .as("no choice goes on for nobody")
                    .isLessThan(400);
            narrow.assertPoolAtBaseline();
            deaf.cancel();
        }
    }

    private static KnownOutput known(int choice, String emitted, String withheld) {
        return KnownOutput.newBuilder()
                .setChoice(choice)
                .addAllEmittedTokenIds(ids(emitted))
                .addAllWithheldTokenIds(ids(withheld))
                .build();
    }

    private static List<Integer> ids(String text) {
        return Arrays.stream(ByteVocabulary.tokens(text)).boxed().toList();
    }

    private void refused(String words, Consumer<DecodeRequest.Builder> change) throws Exception {
        DecodeRequest.Builder request = local();
        change.accept(request);
        Status status = decode.ask(request).status();
        assertThat(status.getCode()).as(words).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(status.getDescription()).contains(words);
    }
}

package io.baton.decode;

import static io.baton.decode.NodeUnderTest.local;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.baton.engine.GenerationRequest;
import io.baton.engine.sample.SamplingParameters;
import io.baton.proto.v1.DecodeFinished;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.DecodeToken;
import io.baton.proto.v1.FinishReason;
import io.baton.proto.v1.Reason;
import io.baton.proto.v1.StopConditions;
import io.baton.proto.v1.TokenLogprob;
import io.baton.proto.v1.TtftParts;
import io.baton.testing.ByteVocabulary;
import io.baton.testing.Waiting;
import io.grpc.Status;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a decode node promises a gateway, as far as no prefill node is involved. */
@Timeout(30)
class DecodeServiceTest {

    private final NodeUnderTest decode = new NodeUnderTest();

    @AfterEach
    void everyBlockIsFreeAgain() {
        decode.assertPoolAtBaseline();
        decode.close();
    }

    @Test
    void tokensComeOneByOneAndTheStreamEndsOnceWithUsage() throws Exception {
        Answer answer = decode.ask(local());
        DecodeFinished finished = answer.finished();
        assertThat(answer.events.getFirst().hasAdmitted()).isTrue();
        assertThat(answer.tokens()).extracting(DecodeToken::getIndex).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
        assertThat(answer.tokens().getFirst().getTokenId()).isEqualTo(100);
        assertThat(answer.text()).isEqualTo("abcdefgh");
        assertThat(finished.getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
        assertThat(finished.getUsage().getPromptTokens()).isEqualTo(NodeUnderTest.PROMPT_TOKENS);
        assertThat(finished.getUsage().getOutputTokens()).isEqualTo(8);
        assertThat(finished.getRoute().getReason()).isEqualTo(Reason.REASON_REQUESTED);
        assertThat(finished.getRoute().getPrefillNode()).isEmpty();
    }

    @Test
    void thePartsOfTheFirstTokensTimeSumToItsTotal() throws Exception {
        Answer answer = decode.ask(local());
        answer.finished();
        TtftParts parts = answer.tokens().getFirst().getTtft();
        assertThat(parts.getTotalMicros()).isPositive();
        assertThat(parts.getDecodeAdmissionMicros()
                        + parts.getPrefillQueueMicros()
                        + parts.getPrefillComputeMicros()
                        + parts.getFirstStepMicros()
                        + parts.getUnattributedMicros())
                .isEqualTo(parts.getTotalMicros());
    }

    @Test
    void anotherFunctionIsRefusedByTheNameOfTheField() throws Exception {
        DecodeRequest.Builder request = local();
        request.getFingerprintBuilder().setNumerics("weights=q8,activations=q8,kv=bf16");
        Throwable failure = decode.ask(request).failure();
        assertThat(Status.fromThrowable(failure).getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
        assertThat(Status.fromThrowable(failure).getDescription()).contains("numerics", "weights=q8");
        assertThat(Objects.requireNonNull(Status.trailersFromThrowable(failure)).get(Refusals.REASON))
                .isEqualTo("REASON_FINGERPRINT_MISMATCH");
        assertThat(decode.ask(local().clearFingerprint()).status().getCode())
                .isEqualTo(Status.Code.FAILED_PRECONDITION);
    }

    @Test
    void whatIsMalformedIsRefusedByTheNameOfTheField() throws Exception {
        refused(Status.Code.INVALID_ARGUMENT, "request_id", request -> request.clearContext());
        refused(Status.Code.INVALID_ARGUMENT, "prompt_token_ids", request -> request.clearPromptTokenIds());
        refused(
                Status.Code.INVALID_ARGUMENT,
                "prompt_token_ids[100] is 1000",
                request -> request.addPromptTokenIds(1000));
        refused(Status.Code.INVALID_ARGUMENT, "4294967295", request -> request.addEmittedTokenIds(-1));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "effective_salt",
                request -> request.getContextBuilder().setEffectiveSalt(ByteString.copyFromUtf8("short")));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "temperature",
                request -> request.getSamplingBuilder().setTemperature(Float.NaN));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "token 1000",
                request -> request.getSamplingBuilder().putLogitBias(1000, 1));
        refused(Status.Code.INVALID_ARGUMENT, "logprobs", request -> request.setLogprobs(21));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "stop.strings",
                request -> request.getStopBuilder().addStrings(""));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "stop.token_ids",
                request -> request.getStopBuilder().addAllTokenIds(Collections.nCopies(65, 5)));
        refused(Status.Code.OUT_OF_RANGE, "512", request -> request.addAllPromptTokenIds(Collections.nCopies(412, 5)));
    }

    @Test
    void whatIsNotServedIsRefusedByNameAndNeverIgnored() throws Exception {
        refused(Status.Code.UNIMPLEMENTED, "adapter", request -> request.setAdapter("lora"));
        refused(
                Status.Code.UNIMPLEMENTED,
                "sampler_state",
                request -> request.setSamplerState(ByteString.copyFromUtf8("x")));
    }

    @Test
    void samplingReachesTheEngineAsItIs() throws Exception {
        DecodeRequest.Builder request = local().setSeed(77);
        request.getSamplingBuilder()
                .setTemperature(0.5f)
                .setTopK(40)
                .setTopP(0.9f)
                .setMinP(0.1f)
                .setTypicalP(0.8f)
                .setRepetitionPenalty(1.1f)
                .setPresencePenalty(0.2f)
                .setFrequencyPenalty(0.3f)
                .putLogitBias(7, -100);
        decode.ask(request).finished();
        GenerationRequest asked = decode.engine.sequences.getFirst().request;
        assertThat(asked.seed()).isEqualTo(77);
        assertThat(asked.sampling())
                .isEqualTo(new SamplingParameters(0.5f, 40, 0.9f, 0.1f, 0.8f, 1.1f, 0.2f, 0.3f, Map.of(7, -100f)));
    }

    @Test
    void aRequestThatCanNeverFitIsRefused() throws Exception {
        decode.engine.scheduler.submit(() -> decode.engine.capacity = 3).get();
        assertThat(decode.ask(local()).status().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void aStopStringEndsTheSequenceAtTheStepThatCompletesIt() throws Exception {
        Answer answer = decode.ask(local().setStop(stops(20, "xy", "def")));
        DecodeFinished finished = answer.finished();
        assertThat(finished.getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(answer.text()).isEqualTo("abc");
        assertThat(finished.getUsage().getOutputTokens()).isEqualTo(6);
        assertThat(answer.tokens()).extracting(DecodeToken::getText).containsExactly("a", "b", "c", "", "", "");
    }

    @Test
    void textHeldBackForAStopStringThatNeverCameIsInTheLastEvent() throws Exception {
        Answer answer = decode.ask(local().setStop(stops(8, "ghi")));
        DecodeFinished finished = answer.finished();
        assertThat(finished.getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
        assertThat(finished.getText()).isEqualTo("gh");
        assertThat(answer.text()).isEqualTo("abcdefgh");
    }

    @Test
    void noEventHoldsHalfACharacter() throws Exception {
        int[] script = ByteVocabulary.tokens("né€");
        decode.engine.tokens = index -> script[index];
        Answer answer = decode.ask(local().setStop(stops(script.length)));
        answer.finished();
        assertThat(answer.tokens()).extracting(DecodeToken::getText).containsExactly("n", "", "é", "", "", "€");
    }

    @Test
    void anEndOfSequenceTokenIsTheLastAndHasNoText() throws Exception {
        decode.engine.tokens = index -> index == 3 ? ByteVocabulary.EOS : 100 + index;
        Answer answer = decode.ask(local());
        DecodeFinished finished = answer.finished();
        assertThat(finished.getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(answer.text()).isEqualTo("abc");
        assertThat(answer.tokens().getLast().getTokenId()).isEqualTo(ByteVocabulary.EOS);
        Answer byName = decode.ask(local().setStop(stops(8).addTokenIds(102)));
        assertThat(byName.finished().getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(byName.text()).as("the stop token's text is not part of it").isEqualTo("ab");
        Answer ignoring = decode.ask(local().setStop(stops(6).setIgnoreEos(true)));
        assertThat(ignoring.finished().getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
    }

    @Test
    void logprobsComeWhenAskedFor() throws Exception {
        Answer answer = decode.ask(local().setLogprobs(2));
        answer.finished();
        DecodeToken token = answer.tokens().getFirst();
        assertThat(token.getLogprob()).isEqualTo(-0.5f);
        assertThat(token.getTopLogprobsList())
                .extracting(TokenLogprob::getTokenId)
                .containsExactly(100, 101);
        Answer without = decode.ask(local());
        without.finished();
        assertThat(without.tokens()).noneMatch(DecodeToken::hasLogprob);
    }

    @Test
    void aSequenceGoesOnWhereAnotherNodeLeftIt() throws Exception {
        DecodeRequest.Builder request = local().setStop(stops(8, "cdx"));
        Arrays.stream(ByteVocabulary.tokens("ab")).forEach(request::addEmittedTokenIds);
        Arrays.stream(ByteVocabulary.tokens("cd")).forEach(request::addWithheldTokenIds);
        Answer answer = decode.ask(request);
        DecodeFinished finished = answer.finished();
        assertThat(answer.tokens()).extracting(DecodeToken::getIndex).containsExactly(4, 5, 6, 7);
        assertThat(answer.text())
                .as("what the withheld tokens say is said, the emitted ones are not repeated")
                .isEqualTo("cdefgh");
        assertThat(finished.getUsage().getOutputTokens()).isEqualTo(8);
        assertThat(decode.engine.sequences.getFirst().request.emittedTokens()).isEqualTo(ByteVocabulary.tokens("abcd"));
    }

    @Test
    void knownOutputThatEndsTheSequenceEndsItAtOnce() throws Exception {
        DecodeRequest.Builder complete = local().setStop(stops(4));
        Arrays.stream(ByteVocabulary.tokens("abcd")).forEach(complete::addEmittedTokenIds);
        assertThat(decode.ask(complete).finished().getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
        DecodeRequest.Builder stopped = local().setStop(stops(9, "cd"));
        Arrays.stream(ByteVocabulary.tokens("abcd")).forEach(stopped::addEmittedTokenIds);
        assertThat(decode.ask(stopped).finished().getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        assertThat(decode.engine.sequences).isEmpty();
    }

    @Test
    void aGatewayThatDoesNotReadLosesItsSequenceAndNothingElse() throws Exception {
        try (NodeUnderTest narrow = new NodeUnderTest(List.of(), settings -> settings.withMaxBufferedEvents(64))) {
            Answer deaf = narrow.ask(local().setLogprobs(20).setStop(stops(400)), Answer.notReading());
            Waiting.until(
                    "the sequence has ended",
                    NodeUnderTest.GONE_WITHIN,
                    () -> !narrow.engine.sequences.isEmpty()
                            && narrow.engine.sequences.getFirst().hasEnded());
            assertThat(narrow.engine.sequences.getFirst().steps()).isLessThan(400);
            narrow.assertPoolAtBaseline();
            assertThat(narrow.ask(local()).finished().getUsage().getOutputTokens())
                    .isEqualTo(8);
            deaf.cancel();
        }
    }

    @Test
    void aCancelReachesASequenceThatWaitsForAdmission() throws Exception {
        decode.engine.admitting = false;
        Answer answer = decode.ask(local());
        Waiting.until("the sequence waits", () -> decode.engine.sequences.size() == 1);
        answer.cancel();
        assertThat(answer.status().getCode()).isEqualTo(Status.Code.CANCELLED);
        Waiting.until(
                "it has left the queue",
                NodeUnderTest.GONE_WITHIN,
                () -> decode.engine.sequences.getFirst().hasEnded());
    }

    @Test
    void aCancelReachesALocalPrefill() throws Exception {
        decode.engine.prefilling = false;
        Answer answer = decode.ask(local()).awaitAdmitted();
        answer.cancel();
        assertThat(answer.status().getCode()).isEqualTo(Status.Code.CANCELLED);
    }

    @Test
    void aCancelReachesADecodingSequence() throws Exception {
        decode.engine.allowSteps(3);
        Answer answer = decode.ask(local()).awaitFirstToken();
        answer.cancel();
        assertThat(answer.status().getCode()).isEqualTo(Status.Code.CANCELLED);
        decode.assertPoolAtBaseline();
        decode.engine.allowSteps(Integer.MAX_VALUE);
        assertThat(decode.ask(local()).finished().getUsage().getOutputTokens()).isEqualTo(8);
    }

    @Test
    void aDeadlineEndsASequenceInEachPhase() throws Exception {
        Duration soon = Duration.ofMillis(150);
        decode.engine.admitting = false;
        assertThat(decode.ask(local(), soon).status().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        decode.engine.admitting = true;
        decode.engine.prefilling = false;
        assertThat(decode.ask(local(), soon).status().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        decode.engine.prefilling = true;
        decode.engine.allowSteps(1);
        assertThat(decode.ask(local(), soon).status().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    }

    @Test
    void aDrainingNodeFinishesWhatItHasAndTakesNothingNew() throws Exception {
        decode.engine.allowSteps(1);
        Answer running = decode.ask(local()).awaitFirstToken();
        CompletableFuture<Boolean> drained =
                CompletableFuture.supplyAsync(() -> decode.node.drain(Duration.ofSeconds(10)));
        Waiting.until("new requests are refused", () -> refusedAsDraining());
        decode.engine.allowSteps(Integer.MAX_VALUE);
        assertThat(running.finished().getUsage().getOutputTokens()).isEqualTo(8);
        assertThat(drained.get(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void closingTheNodeEndsWhatRunsWithAStatus() throws Exception {
        decode.engine.allowSteps(1);
        Answer running = decode.ask(local()).awaitFirstToken();
        decode.node.close();
        assertThat(running.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }

    private boolean refusedAsDraining() {
        Answer probe = decode.ask(local());
        probe.cancelAfterAdmission();
        try {
            Throwable failure = probe.failure();
            return Status.fromThrowable(failure).getCode() == Status.Code.UNAVAILABLE;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void refused(Status.Code code, String named, Consumer<DecodeRequest.Builder> change) throws Exception {
        DecodeRequest.Builder request = local();
        change.accept(request);
        Status status = decode.ask(request).status();
        assertThat(status.getCode()).as(named).isEqualTo(code);
        assertThat(status.getDescription()).contains(named);
    }

    private static StopConditions.Builder stops(int maxTokens, String... strings) {
        return StopConditions.newBuilder().setMaxTokens(maxTokens).addAllStrings(List.of(strings));
    }
}

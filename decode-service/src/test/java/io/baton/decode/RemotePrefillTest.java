package io.baton.decode;

import static io.baton.decode.NodeUnderTest.remote;
import static io.baton.proto.v1.FallbackPolicy.FALLBACK_POLICY_FAIL;
import static io.baton.proto.v1.FallbackPolicy.FALLBACK_POLICY_LOCAL_PREFILL;
import static io.baton.proto.v1.FallbackPolicy.FALLBACK_POLICY_OTHER_PREFILL;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.DecodeFinished;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.Reason;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.RouteEvent;
import io.baton.proto.v1.TtftParts;
import io.baton.serving.Channels;
import io.baton.testing.Waiting;
import io.baton.transfer.FailureReason;
import io.baton.transfer.KvSender;
import io.grpc.Status;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What happens to a request whose prompt is prefilled elsewhere, when all goes well and when it does not. */
@Timeout(30)
class RemotePrefillTest {

    private static final int BLOCKS = Math.ceilDiv(NodeUnderTest.PROMPT_TOKENS, ScriptedEngine.BLOCK_TOKENS);

    @Test
    void everyByteOfTheProducersBlocksArrivesAndTheSequenceGoesOnFromItsHiddenState() throws Exception {
        try (ScriptedPrefillNode prefill = ScriptedPrefillNode.that(handing -> handing.serve(2));
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            Answer answer = decode.ask(remote(FALLBACK_POLICY_FAIL, prefill));
            DecodeFinished finished = answer.finished();
            assertThat(answer.text()).isEqualTo("abcdefgh");

            ScriptedSequence sequence = decode.engine.sequences.getFirst();
            assertThat(sequence.hidden).containsExactly(ScriptedPrefillNode.hidden());
            ScriptedSequence.Lease lease = Objects.requireNonNull(sequence.lease);
            for (int layer = 0; layer < ScriptedEngine.LAYERS; layer++) {
                for (int block = 0; block < BLOCKS; block++) {
                    MemorySegment found = lease.memory.asSlice(
                            ((long) layer * BLOCKS + block) * ScriptedEngine.UNIT_BYTES, ScriptedEngine.UNIT_BYTES);
                    assertThat(found.mismatch(ScriptedPrefillNode.unit(layer, block)))
                            .isEqualTo(-1);
                }
            }
            Route route = finished.getRoute();
            assertThat(route.getReason()).isEqualTo(Reason.REASON_REQUESTED);
            assertThat(route.getDecodeNode()).isEqualTo("127.0.0.1:" + decode.node.port());
            assertThat(route.getPrefillNode()).isEqualTo(prefill.address());
            assertThat(route.getKvBlocksReceived()).isEqualTo(BLOCKS);
            assertThat(route.getKvBytesReceived())
                    .isEqualTo((long) BLOCKS * ScriptedEngine.LAYERS * ScriptedEngine.UNIT_BYTES);
            assertThat(route.getEventsList()).isEmpty();
            assertThat(finished.getUsage().getCachedTokens()).isEqualTo(32);
            assertThat(route.getPrefillCachedTokens()).isEqualTo(32);
            assertThat(prefill.onlyHanding().acknowledged.await(5, TimeUnit.SECONDS))
                    .isTrue();
            decode.assertPoolAtBaseline();
        }
    }

    @Test
    void anAnswerThatEndsAtOnceDoesNotCancelTheAcknowledgement() throws Exception {
        try (ScriptedPrefillNode prefill = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            for (int round = 0; round < 100; round++) { // a race, which one round may win by chance
                DecodeRequest.Builder request = remote(FALLBACK_POLICY_FAIL, prefill);
                request.getStopBuilder().setMaxTokens(1);
                decode.ask(request).finished();
                assertThat(prefill.handings.get(round).acknowledged.await(5, TimeUnit.SECONDS))
                        .as("round %d", round)
                        .isTrue();
            }
            decode.assertPoolAtBaseline();
        }
    }

    @Test
    void thePartsOfTheFirstTokensTimeSumToItsTotal() throws Exception {
        try (ScriptedPrefillNode prefill = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            Answer answer = decode.ask(remote(FALLBACK_POLICY_FAIL, prefill));
            answer.finished();
            TtftParts parts = answer.tokens().getFirst().getTtft();
            assertThat(answer.tokens().subList(1, 8)).noneMatch(token -> token.hasTtft());
            assertThat(parts.getPrefillQueueMicros()).isEqualTo(2);
            assertThat(parts.getPrefillComputeMicros()).isEqualTo(5);
            assertThat(parts.getExposedTransferMicros()).isPositive();
            assertThat(parts.getDecodeAdmissionMicros()
                            + parts.getPrefillQueueMicros()
                            + parts.getPrefixFetchMicros()
                            + parts.getPrefillComputeMicros()
                            + parts.getExposedTransferMicros()
                            + parts.getFirstStepMicros()
                            + parts.getUnattributedMicros())
                    .isEqualTo(parts.getTotalMicros());
        }
    }

    @Test
    void blocksCachedHereAreNotSentAndNeverWritten() throws Exception {
        try (ScriptedPrefillNode prefill = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            decode.engine.cachedBlocks = 4;
            DecodeFinished finished =
                    decode.ask(remote(FALLBACK_POLICY_FAIL, prefill)).finished();
            assertThat(prefill.onlyHanding().start.getVerifiedBlocks()).isEqualTo(4);
            assertThat(finished.getRoute().getKvBlocksReceived()).isEqualTo(BLOCKS - 4);
            assertThat(finished.getRoute().getDecodeCachedTokens()).isEqualTo(64);
            assertThat(finished.getUsage().getCachedTokens()).isEqualTo(64);
        }
    }

    @Test
    void aRefusalGoesToTheNextRankedNode() throws Exception {
        try (ScriptedPrefillNode busy = ScriptedPrefillNode.refusing(
                        Status.RESOURCE_EXHAUSTED.withDescription("queue full"), FailureReason.OVERLOADED);
                ScriptedPrefillNode other = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(busy, other)) {
            Route route = decode.ask(remote(FALLBACK_POLICY_OTHER_PREFILL, busy, other))
                    .finished()
                    .getRoute();
            assertThat(route.getPrefillNode()).isEqualTo(other.address());
            assertThat(reasons(route)).containsExactly(Reason.REASON_PREFILL_OVERLOADED);
            assertThat(route.getEvents(0).getNode()).isEqualTo(busy.address());
            assertThat(route.getEvents(0).getDetail()).contains("queue full");
            assertThat(other.onlyHanding().start.getContext().getAttempt()).isEqualTo(2);
        }
    }

    @Test
    void aNodeThatDiesMidTransferIsReplacedAndVerifiedBlocksAreNotSentAgain() throws Exception {
        try (ScriptedPrefillNode dying = ScriptedPrefillNode.that(handing -> {
                    KvSender sender = handing.compute(0);
                    handing.announce(sender, 48);
                });
                ScriptedPrefillNode other = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(dying, other)) {
            Answer answer = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, dying, other));
            Waiting.until(
                    "three blocks are verified",
                    () -> !decode.engine.sequences.isEmpty() && decode.engine.sequences.getFirst().verifiedBlocks == 3);
            dying.die();
            Route route = answer.finished().getRoute();
            assertThat(reasons(route)).containsExactly(Reason.REASON_PREFILL_UNAVAILABLE);
            assertThat(other.onlyHanding().start.getVerifiedBlocks()).isEqualTo(3);
            assertThat(other.onlyHanding().start.getHandoffId())
                    .isEqualTo(dying.onlyHanding().start.getHandoffId());
            assertThat(route.getKvBlocksReceived()).isEqualTo(BLOCKS);
            assertThat(decode.engine.sequences.getFirst().hidden).containsExactly(ScriptedPrefillNode.hidden());
            decode.assertPoolAtBaseline();
        }
    }

    @Test
    void aCorruptFrameIsNoticedAndThePromptIsPrefilledHereWhenThePolicyAllows() throws Exception {
        try (ScriptedPrefillNode corrupting = ScriptedPrefillNode.corrupting(3);
                NodeUnderTest decode = new NodeUnderTest(corrupting)) {
            Answer answer = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, corrupting));
            DecodeFinished finished = answer.finished();
            assertThat(answer.text()).isEqualTo("abcdefgh");
            assertThat(reasons(finished.getRoute())).containsExactly(Reason.REASON_KV_CORRUPT);
            assertThat(finished.getRoute().getReason()).isEqualTo(Reason.REASON_KV_CORRUPT);
            assertThat(finished.getRoute().getPrefillNode()).isEmpty();
            assertThat(decode.engine.sequences.getFirst().localPrefill).isTrue();
            decode.assertPoolAtBaseline();
        }
    }

    @Test
    void aSilentNodeIsGivenUpAfterASecond() throws Exception {
        try (ScriptedPrefillNode silent = ScriptedPrefillNode.that(handing -> {});
                NodeUnderTest decode = new NodeUnderTest(silent)) {
            long asked = System.nanoTime();
            Answer answer = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, silent));
            assertThat(reasons(answer.finished().getRoute())).containsExactly(Reason.REASON_PREFILL_STALLED);
            assertThat(System.nanoTime() - asked)
                    .isBetween(TimeUnit.MILLISECONDS.toNanos(900), TimeUnit.SECONDS.toNanos(3));
            assertThat(silent.onlyHanding().cancelled.await(5, TimeUnit.SECONDS))
                    .isTrue();
            TtftParts parts = answer.tokens().getFirst().getTtft();
            assertThat(parts.getExposedTransferMicros()).isGreaterThan(900_000);
            decode.assertPoolAtBaseline();
        }
    }

    @Test
    void afterAStallTheNextStreamTravelsOnANewConnection() throws Exception {
        try (ScriptedPrefillNode prefill = ScriptedPrefillNode.that(handing -> {});
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, prefill)).finished();
            prefill.script(ScriptedPrefillNode.Handing::serve);
            for (int i = 0; i < Channels.KV_CHANNELS; i++) {
                decode.ask(remote(FALLBACK_POLICY_FAIL, prefill)).finished();
            }
            assertThat(prefill.handings.stream().map(ScriptedPrefillNode.Handing::peer))
                    .as("two channels, one of which has connected anew")
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void aNodeThatComputesAnotherFunctionIsNamedAsThat() throws Exception {
        try (ScriptedPrefillNode other = ScriptedPrefillNode.refusing(
                        Status.FAILED_PRECONDITION.withDescription("numerics differs"), FailureReason.MISMATCH);
                NodeUnderTest decode = new NodeUnderTest(other)) {
            Route route = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, other))
                    .finished()
                    .getRoute();
            assertThat(reasons(route)).containsExactly(Reason.REASON_FINGERPRINT_MISMATCH);
            assertThat(route.getEvents(0).getDetail()).contains("numerics differs");
        }
    }

    @Test
    void theFirstFailureEndsARequestWhosePolicyIsToFail() throws Exception {
        try (ScriptedPrefillNode draining = ScriptedPrefillNode.refusing(Status.UNAVAILABLE, FailureReason.DRAINING);
                ScriptedPrefillNode other = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(draining, other)) {
            Throwable failure =
                    decode.ask(remote(FALLBACK_POLICY_FAIL, draining, other)).failure();
            assertThat(Status.fromThrowable(failure).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(Status.fromThrowable(failure).getDescription()).contains(draining.address());
            assertThat(Objects.requireNonNull(Status.trailersFromThrowable(failure))
                            .get(Refusals.REASON))
                    .isEqualTo("REASON_DRAINING");
            assertThat(other.handings).isEmpty();
            decode.assertPoolAtBaseline();
        }
    }

    @Test
    void noMoreThanThreeNodesAreAsked() throws Exception {
        try (ScriptedPrefillNode a = ScriptedPrefillNode.refusing(Status.UNAVAILABLE, FailureReason.DRAINING);
                ScriptedPrefillNode b = ScriptedPrefillNode.refusing(Status.INTERNAL, FailureReason.FAILED);
                ScriptedPrefillNode c = ScriptedPrefillNode.corrupting(1);
                ScriptedPrefillNode d = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(a, b, c, d)) {
            assertThat(decode.ask(remote(FALLBACK_POLICY_OTHER_PREFILL, a, b, c, d))
                            .status()
                            .getCode())
                    .isEqualTo(Status.Code.UNAVAILABLE);
            assertThat(d.handings).isEmpty();
            decode.assertPoolAtBaseline();
        }
    }

    @Test
    void aNodeThatIsNoMemberIsNotDialled() throws Exception {
        try (ScriptedPrefillNode stranger = ScriptedPrefillNode.serving();
                ScriptedPrefillNode member = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(member)) {
            Route route = decode.ask(remote(FALLBACK_POLICY_FAIL, stranger, member))
                    .finished()
                    .getRoute();
            assertThat(stranger.handings).isEmpty();
            assertThat(route.getPrefillNode()).isEqualTo(member.address());
            assertThat(route.getEvents(0).getDetail()).contains("not a member");
        }
    }

    @Test
    void aNodeThatCannotBeReachedIsReplaced() throws Exception {
        try (ScriptedPrefillNode gone = ScriptedPrefillNode.serving();
                ScriptedPrefillNode other = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(gone, other)) {
            gone.die();
            Route route = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, gone, other))
                    .finished()
                    .getRoute();
            assertThat(reasons(route)).containsExactly(Reason.REASON_PREFILL_UNAVAILABLE);
            assertThat(route.getPrefillNode()).isEqualTo(other.address());
        }
    }

    @Test
    void withoutARankedNodeARemoteRequestIsPrefilledHereOrRefused() throws Exception {
        try (NodeUnderTest decode = new NodeUnderTest()) {
            assertThat(decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL))
                            .finished()
                            .getRoute()
                            .getReason())
                    .isEqualTo(Reason.REASON_NO_PREFILL_NODE);
            assertThat(decode.ask(remote(FALLBACK_POLICY_OTHER_PREFILL))
                            .status()
                            .getCode())
                    .isEqualTo(Status.Code.UNAVAILABLE);
            decode.assertPoolAtBaseline();
        }
    }

    @Test
    void aNodeWithAllItsKvStreamsInUseSaysSo() throws Exception {
        try (ScriptedPrefillNode slow = ScriptedPrefillNode.that(ScriptedPrefillNode.Handing::queue);
                NodeUnderTest decode =
                        new NodeUnderTest(List.of(slow.address()), settings -> settings.withMaxKvStreams(1))) {
            Answer waiting = decode.ask(remote(FALLBACK_POLICY_FAIL, slow)).awaitAdmitted();
            Waiting.until("the first stream is open", () -> slow.handings.size() == 1);
            Route route = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, slow))
                    .finished()
                    .getRoute();
            assertThat(reasons(route)).containsExactly(Reason.REASON_PREFILL_OVERLOADED);
            waiting.cancel();
            assertThat(slow.onlyHanding().cancelled.await(5, TimeUnit.SECONDS)).isTrue();
            decode.assertPoolAtBaseline();
        }
    }

    private static List<Reason> reasons(Route route) {
        return route.getEventsList().stream().map(RouteEvent::getReason).toList();
    }
}

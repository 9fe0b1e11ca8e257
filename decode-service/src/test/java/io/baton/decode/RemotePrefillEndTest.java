package io.baton.decode;

import static io.baton.decode.NodeUnderTest.remote;
import static io.baton.proto.v1.FallbackPolicy.FALLBACK_POLICY_FAIL;
import static io.baton.proto.v1.FallbackPolicy.FALLBACK_POLICY_LOCAL_PREFILL;
import static org.assertj.core.api.Assertions.assertThat;

import io.baton.proto.v1.DecodeFinished;
import io.baton.proto.v1.DecodeRequest;
import io.baton.proto.v1.PrefillMode;
import io.baton.proto.v1.Reason;
import io.baton.proto.v1.RouteEvent;
import io.baton.testing.Waiting;
import io.baton.transfer.KvSender;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A request that ends, or runs out of time, while another node is at work for it. */
@Timeout(30)
class RemotePrefillEndTest {

    @Test
    void aCancelWhileThePrefillNodeQueuesReachesIt() throws Exception {
        try (ScriptedPrefillNode prefill = ScriptedPrefillNode.that(ScriptedPrefillNode.Handing::queue);
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            Answer answer = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, prefill));
            Waiting.until("the stream is open", () -> prefill.handings.size() == 1);
            answer.cancel();
            assertThat(answer.status().getCode()).isEqualTo(Status.Code.CANCELLED);
            assertNothingIsLeft(prefill, decode);
            assertThat(prefill.onlyHanding().granted.getCount())
                    .as("no block was granted")
                    .isEqualTo(1);
        }
    }

    @Test
    void aCancelMidTransferGivesTheBlocksBackOnceNoFrameCanBeWrittenIntoThem() throws Exception {
        try (ScriptedPrefillNode prefill = half();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            Answer answer = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, prefill));
            awaitVerified(decode, 3);
            answer.cancel();
            assertThat(answer.status().getCode()).isEqualTo(Status.Code.CANCELLED);
            assertNothingIsLeft(prefill, decode);
        }
    }

    @Test
    void aCancelWhileBlocksAreBeingTakenLeavesNone() throws Exception {
        try (ScriptedPrefillNode prefill = half();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            decode.engine.takesBlocks = false;
            Answer answer = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, prefill));
            Waiting.until(
                    "blocks are asked for",
                    () -> !decode.engine.sequences.isEmpty()
                            && decode.engine.sequences.getFirst().blocksAsked());
            answer.cancel();
            assertThat(answer.status().getCode()).isEqualTo(Status.Code.CANCELLED);
            assertNothingIsLeft(prefill, decode);
        }
    }

    @Test
    void aGatewayThatDisappearsCancelsThePrefillBehindIt() throws Exception {
        try (ScriptedPrefillNode prefill = half();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, prefill));
            awaitVerified(decode, 3);
            decode.disconnect();
            assertNothingIsLeft(prefill, decode);
        }
    }

    @Test
    void theDeadlineEndsTheRequestAndThePrefillBehindIt() throws Exception {
        try (ScriptedPrefillNode prefill = half();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            Answer answer = decode.ask(remote(FALLBACK_POLICY_FAIL, prefill), Duration.ofSeconds(2));
            assertThat(answer.status().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
            assertNothingIsLeft(prefill, decode);
        }
    }

    @Test
    void enoughOfTheDeadlineIsKeptToPrefillHere() throws Exception {
        try (ScriptedPrefillNode prefill = half();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            // The scripted engine says it prefills 1000 tokens a second: 52 that did not come take 52 ms.
            long asked = System.nanoTime();
            DecodeFinished finished = decode.ask(
                            remote(FALLBACK_POLICY_LOCAL_PREFILL, prefill), Duration.ofMillis(1500))
                    .finished();
            assertThat(System.nanoTime() - asked).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(500));
            assertThat(finished.getRoute().getReason()).isEqualTo(Reason.REASON_DEADLINE_RESERVE);
            assertThat(finished.getRoute().getEventsList())
                    .extracting(RouteEvent::getReason)
                    .containsExactly(Reason.REASON_DEADLINE_RESERVE);
            assertThat(decode.engine.sequences.getFirst().verifiedBlocks).isEqualTo(3);
            assertNothingIsLeft(prefill, decode);
        }
    }

    @Test
    void anEngineThatShutsDownMidTransferEndsTheRequestAndThePrefill() throws Exception {
        try (ScriptedPrefillNode prefill = half();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            Answer answer = decode.ask(remote(FALLBACK_POLICY_LOCAL_PREFILL, prefill));
            awaitVerified(decode, 3);
            decode.node.close();
            assertThat(answer.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            assertNothingIsLeft(prefill, decode);
        }
    }

    @Test
    void leftAloneTheNodeDecidesByCost() throws Exception {
        try (ScriptedPrefillNode prefill = ScriptedPrefillNode.serving();
                NodeUnderTest decode = new NodeUnderTest(prefill)) {
            DecodeRequest.Builder cheap =
                    remote(FALLBACK_POLICY_LOCAL_PREFILL, prefill).setPrefillMode(PrefillMode.PREFILL_MODE_AUTO);
            assertThat(reason(decode, cheap)).isEqualTo(Reason.REASON_COST_REMOTE);
            DecodeRequest.Builder dear = cheap.clone();
            dear.getPrefillNodesBuilder(0).setEstimatedMicros(5_000_000);
            assertThat(reason(decode, dear)).isEqualTo(Reason.REASON_COST_LOCAL);
            decode.engine.cachedBlocks = 6;
            assertThat(reason(decode, cheap)).isEqualTo(Reason.REASON_CACHED);
            assertThat(prefill.handings).hasSize(1);
        }
    }

    /** The prefill node was told in less time than it takes it to give up by itself, and every block came back. */
    private static void assertNothingIsLeft(ScriptedPrefillNode prefill, NodeUnderTest decode)
            throws InterruptedException {
        assertThat(prefill.onlyHanding().cancelled.await(5, TimeUnit.SECONDS)).isTrue();
        decode.assertPoolAtBaseline();
    }

    private static Reason reason(NodeUnderTest decode, DecodeRequest.Builder request) throws InterruptedException {
        return decode.ask(request.clone()).finished().getRoute().getReason();
    }

    /** A node that hands over the first three blocks and then computes for ever. */
    private static ScriptedPrefillNode half() {
        return ScriptedPrefillNode.that(handing -> {
            KvSender sender = handing.compute(0);
            handing.announce(sender, 3 * ScriptedEngine.BLOCK_TOKENS);
        });
    }

    private static void awaitVerified(NodeUnderTest decode, int blocks) {
        List<ScriptedSequence> sequences = decode.engine.sequences;
        Waiting.until(
                blocks + " blocks are verified",
                () -> !sequences.isEmpty() && sequences.getFirst().verifiedBlocks == blocks);
    }
}

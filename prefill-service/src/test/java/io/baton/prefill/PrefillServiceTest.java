package io.baton.prefill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.EngineException;
import io.baton.engine.EngineException.Kind;
import io.baton.kv.SequenceFingerprint;
import io.baton.prefill.PrefillUnderTest.Asked;
import io.baton.prefill.PrefillUnderTest.Received;
import io.baton.prefill.ScriptedEngine.Scripted;
import io.baton.serving.ListenSettings;
import io.baton.serving.telemetry.Telemetry;
import io.baton.transfer.FailureReason;
import io.baton.transfer.ReceiveOutcome;
import io.baton.transfer.VerifiedBlocks;
import io.baton.transfer.WireVersions;
import io.grpc.CallOptions;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PrefillServiceTest {

    private static final PrefillSettings SETTINGS =
            PrefillSettings.of("prefill", ListenSettings.loopback(), new ScriptedEngine().options());

    private final Random random = new Random(5);
    private final ScriptedEngine engine = new ScriptedEngine();
    private final PrefillUnderTest under =
            new PrefillUnderTest(PrefillNode.start(SETTINGS.withMaxStreams(3), engine, Telemetry.silent(), random));

    @AfterEach
    void stop() throws Exception {
        under.close();
    }

    private int[] tokens(int count) {
        return random.ints(count, 0, ScriptedEngine.SHAPE.vocabularySize()).toArray();
    }

    /** Every unit as the scripted engine writes it; slots without a token are zero. */
    private static void assertUnits(Received received, int[] tokens, VerifiedBlocks notSent) {
        for (int layer = 0; layer < ScriptedEngine.LAYERS; layer++) {
            for (int block = notSent.in(layer); block < received.shape.blocks(); block++) {
                byte[] expected = new byte[(int) received.shape.unitBytes()];
                for (int i = 0; i < expected.length; i++) {
                    int position = block * ScriptedEngine.BLOCK_TOKENS + i / ScriptedEngine.BYTES_PER_TOKEN;
                    if (position < tokens.length) {
                        expected[i] = ScriptedEngine.value(
                                layer, position, tokens[position], i % ScriptedEngine.BYTES_PER_TOKEN);
                    }
                }
                assertThat(received.unit(layer, block).toArray(ValueLayout.JAVA_BYTE))
                        .as("layer %d, block %d", layer, block)
                        .isEqualTo(expected);
            }
        }
    }

    private Scripted onlyPrefill() {
        assertThat(engine.prefills).hasSize(1);
        return engine.prefills.getFirst();
    }

    private static boolean released(Scripted prefill) throws InterruptedException {
        return prefill.released.await(10, TimeUnit.SECONDS);
    }

    @Test
    void theReceiverHasTheEnginesBytesAndHiddenState() throws Exception {
        for (int count : new int[] {1, 15, 16, 17, 63, 64, 100}) {
            int[] tokens = tokens(count);
            Received received = under.receive(under.ask(tokens));
            ReceiveOutcome.Complete complete = received.complete();
            assertUnits(received, tokens, VerifiedBlocks.whole(0, 3));
            assertThat(complete.hidden()).containsExactly(ScriptedEngine.hidden(tokens));
            assertThat(complete.senderTimes().queued()).isEqualTo(Duration.ofMillis(2));
            assertThat(complete.senderTimes().compute()).isEqualTo(Duration.ofMillis(3));
            assertThat(released(engine.prefills.getLast())).isTrue();
            assertThat(engine.prefills.getLast().cancelled).isNull();
        }
    }

    @Test
    void cachedBlocksAreSentAndReported() throws Exception {
        engine.cachedBlocks = 2;
        int[] tokens = tokens(50);
        Received received = under.receive(under.ask(tokens));
        assertThat(received.complete().cachedTokens()).isEqualTo(32);
        assertUnits(received, tokens, VerifiedBlocks.whole(0, 3));
    }

    @Test
    void whatTheReceiverHasIsComputedButNotSent() throws Exception {
        int[] tokens = tokens(70);
        Asked asked = under.ask(tokens);
        asked.held = new VerifiedBlocks(1, new int[] {2, 0, 4});
        Received received = under.receive(asked);
        assertThat(received.complete().received().units()).isEqualTo(2 + 4);
        assertUnits(received, tokens, asked.held);
    }

    @Test
    void anEverywhereVerifiedSequenceStillGetsItsHiddenState() throws Exception {
        int[] tokens = tokens(40);
        Asked asked = under.ask(tokens);
        asked.held = VerifiedBlocks.whole(3, 3);
        ReceiveOutcome.Complete complete = under.receive(asked).complete();
        assertThat(complete.received().units()).isZero();
        assertThat(complete.hidden()).containsExactly(ScriptedEngine.hidden(tokens));
    }

    @Test
    void framesLeaveWhileLaterChunksAreComputed() throws Exception {
        engine.chunks.drainPermits();
        engine.chunks.release(2);
        Received received = under.receive(under.ask(tokens(100)));
        // 48 tokens of 100 are computed: three whole blocks in three layers.
        while (received.unit(2, 2).get(ValueLayout.JAVA_BYTE, 0) == -1) {
            assertThat(received.outcome).isNotDone();
            Thread.onSpinWait();
        }
        engine.chunks.release(100);
        assertThat(received.complete().received().units()).isEqualTo(21);
    }

    @Test
    void cancellingTheCallCancelsThePrefillAndLetsGoOfTheBlocks() throws Exception {
        engine.chunks.drainPermits();
        engine.chunks.release(2);
        Received received = under.receive(under.ask(tokens(200)));
        received.computing.get(10, TimeUnit.SECONDS);
        received.receiver.join().cancel("client gone");
        assertThat(received.failed().reason()).isEqualTo(FailureReason.CANCELLED);
        Scripted prefill = onlyPrefill();
        assertThat(released(prefill)).isTrue();
        assertThat(prefill.cancelled).isNotNull();
        assertThat(prefill.tokensDone).isLessThanOrEqualTo(2 * ScriptedEngine.CHUNK_TOKENS);
        engine.chunks.release(100);
        assertThat(under.receive(under.ask(tokens(20))).complete()).isNotNull();
    }

    @Test
    void aDeadlineEndsThePrefill() throws Exception {
        engine.chunks.drainPermits();
        Asked asked = under.ask(tokens(20));
        asked.options = CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.SECONDS);
        assertThat(under.receive(asked).failed().reason()).isEqualTo(FailureReason.DEADLINE);
        assertThat(released(onlyPrefill())).isTrue();
    }

    @Test
    void moreStreamsThanTheLimitAreRefusedBeforeAnythingIsReserved() throws Exception {
        engine.chunks.drainPermits();
        List<Received> accepted = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            accepted.add(under.receive(under.ask(tokens(20))));
        }
        while (engine.prefills.size() < 3) {
            Thread.onSpinWait();
        }
        ReceiveOutcome.Failed refused = under.receive(under.ask(tokens(20))).failed();
        assertThat(refused.reason()).isEqualTo(FailureReason.OVERLOADED);
        assertThat(refused.detail()).contains("RESOURCE_EXHAUSTED", "3 prefills are open", "max-prefill-streams");
        assertThat(engine.prefills).hasSize(3);
        engine.chunks.release(100);
        for (Received received : accepted) {
            received.complete();
        }
        assertThat(under.receive(under.ask(tokens(20))).complete()).isNotNull();
    }

    @Test
    void aFullEngineQueueIsOverload() throws Exception {
        engine.failure = new EngineException(Kind.RESOURCE_EXHAUSTED, "8 requests wait already");
        ReceiveOutcome.Failed refused = under.receive(under.ask(tokens(20))).failed();
        assertThat(refused.reason()).isEqualTo(FailureReason.OVERLOADED);
        assertThat(refused.detail()).contains("8 requests wait already");
        assertThat(released(onlyPrefill())).isTrue();
    }

    @Test
    void aFailureOfTheEngineReachesTheReceiver() throws Exception {
        engine.failure = new EngineException(Kind.INTERNAL, "layer 2 is not finite");
        ReceiveOutcome.Failed failed = under.receive(under.ask(tokens(40))).failed();
        assertThat(failed.reason()).isEqualTo(FailureReason.FAILED);
        assertThat(failed.detail()).contains("INTERNAL", "layer 2 is not finite");
        assertThat(released(onlyPrefill())).isTrue();
    }

    @Test
    void anotherFingerprintIsRefusedNamingTheField() throws Exception {
        SequenceFingerprint ours = ScriptedEngine.FINGERPRINT;
        byte[] other = new byte[32];
        other[31] = 1;
        Map<String, SequenceFingerprint> changed = Map.of(
                "weights_digest", with(ours, other, ours.numerics(), 1, ScriptedEngine.BLOCK_TOKENS, ours.rope()),
                "numerics", with(ours, new byte[32], "weights=q8", 1, ScriptedEngine.BLOCK_TOKENS, ours.rope()),
                "arithmetic_revision",
                        with(ours, new byte[32], ours.numerics(), 2, ScriptedEngine.BLOCK_TOKENS, ours.rope()),
                "block_tokens", with(ours, new byte[32], ours.numerics(), 1, 32, ours.rope()),
                "rope", with(ours, new byte[32], ours.numerics(), 1, ScriptedEngine.BLOCK_TOKENS, "base=500000"));
        for (Map.Entry<String, SequenceFingerprint> entry : changed.entrySet()) {
            Asked asked = under.ask(tokens(20));
            asked.fingerprint = entry.getValue();
            ReceiveOutcome.Failed refused = under.receive(asked).failed();
            assertThat(refused.reason()).isEqualTo(FailureReason.MISMATCH);
            assertThat(refused.detail()).contains("FAILED_PRECONDITION", entry.getKey() + " differs");
        }
        assertThat(engine.prefills).isEmpty();
    }

    private static SequenceFingerprint with(
            SequenceFingerprint base, byte[] weights, String numerics, int revision, int blockTokens, String rope) {
        return new SequenceFingerprint(
                weights,
                base.adapter(),
                numerics,
                revision,
                base.backendClass(),
                blockTokens,
                base.kvLayout(),
                rope,
                base.tokenizerDigest());
    }

    @Test
    void aReceiverThatReadsNoCommonVersionIsRefused() throws Exception {
        Asked asked = under.ask(tokens(20));
        asked.versions = new WireVersions(2, 3);
        ReceiveOutcome.Failed refused = under.receive(asked).failed();
        assertThat(refused.reason()).isEqualTo(FailureReason.MISMATCH);
        assertThat(refused.detail()).contains("wire_version differs: this node writes 1, the request reads 2 to 3");
    }

    @Test
    void aReceiverOfTheNextReleaseIsServedInThisVersion() throws Exception {
        Asked asked = under.ask(tokens(20));
        asked.versions = new WireVersions(1, 2);
        assertThat(under.receive(asked).complete().received().units()).isEqualTo(6);
    }

    @Test
    void aDrainingNodeFinishesWhatItHasAndRefusesTheRest() throws Exception {
        engine.chunks.drainPermits();
        Received running = under.receive(under.ask(tokens(60)));
        running.computing.get(10, TimeUnit.SECONDS);
        CompletableFuture<Boolean> drained =
                CompletableFuture.supplyAsync(() -> under.node.drain(Duration.ofSeconds(20)));
        Iterator<HealthCheckResponse> health = HealthGrpc.newBlockingStub(under.channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS)
                .watch(HealthCheckRequest.getDefaultInstance());
        while (health.next().getStatus() != ServingStatus.NOT_SERVING) {
            assertThat(drained).isNotDone();
        }
        assertThat(under.receive(under.ask(tokens(20))).failed().reason()).isEqualTo(FailureReason.DRAINING);
        assertThat(drained).isNotDone();
        engine.chunks.release(100);
        assertThat(running.complete().received().units()).isEqualTo(12);
        assertThat(drained.get(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aNodeThatDrainsSaysWhichBlockIsLost() {
        engine.lost = Optional.of("block 3 is lost");
        assertThatThrownBy(() -> under.node.drain(Duration.ofSeconds(1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("block 3 is lost");
        assertThat(engine.closed).isTrue();
    }

    @Test
    void closingEndsRunningPrefillsAsUnavailable() throws Exception {
        engine.chunks.drainPermits();
        Received running = under.receive(under.ask(tokens(60)));
        running.computing.get(10, TimeUnit.SECONDS);
        under.node.close();
        assertThat(running.failed().reason()).isIn(FailureReason.DRAINING, FailureReason.UNAVAILABLE);
        assertThat(released(onlyPrefill())).isTrue();
    }

    @Test
    void aTokenListLongerThanTheContextIsOutOfRange() throws Exception {
        int[] tokens = IntStream.range(0, 513).toArray();
        ReceiveOutcome.Failed refused = under.receive(under.ask(tokens)).failed();
        assertThat(refused.detail()).contains("OUT_OF_RANGE", "at most 512 tokens", "found 513");
    }
}

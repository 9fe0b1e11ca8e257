package io.baton.prefill;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.Engine;
import io.baton.engine.EngineException;
import io.baton.engine.EngineHost;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.engine.KvUnits;
import io.baton.engine.LoadProgress;
import io.baton.engine.PrefillHandle;
import io.baton.engine.PrefillListener;
import io.baton.engine.PrefillRequest;
import io.baton.engine.PrefillTimes;
import io.baton.kv.SequenceRoot;
import io.baton.prefill.PrefillUnderTest.Asked;
import io.baton.prefill.PrefillUnderTest.Received;
import io.baton.serving.ListenSettings;
import io.baton.testing.ByteVocabulary;
import io.baton.testing.TinyModel;
import io.baton.testing.Waiting;
import io.baton.transfer.FailureReason;
import io.baton.transfer.ReceiveOutcome;
import io.baton.transfer.VerifiedBlocks;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A prefill node with its real engine: what arrives is what the engine computes. */
@Timeout(120)
class PrefillNodeTest {

    @TempDir
    static Path directory;

    private static final TinyModel MODEL = model(1);

    private static EngineHost host;
    private final Random random = new Random(9);

    @BeforeAll
    static void load() throws Exception {
        HostOptions options = new HostOptions(Optional.empty(), KernelChoice.AUTO, 2, OptionalLong.of(1L << 36));
        host = EngineHost.open(MODEL.writeTo(directory.resolve("tiny.gguf")), options, LoadProgress.NONE);
    }

    private static TinyModel model(long seed) {
        return new TinyModel(3, 32, 4, 2, 48, 512, seed);
    }

    @AfterAll
    static void unload() {
        host.close();
    }

    private static EngineOptions options(int blockTokens, int chunkTokens, long poolBytes, int maxWaiting) {
        return new EngineOptions(blockTokens, KvType.BF16, chunkTokens, OptionalLong.of(poolBytes), 4, maxWaiting);
    }

    private static PrefillUnderTest start(EngineOptions options) {
        return new PrefillUnderTest(
                PrefillNode.start(PrefillSettings.of("prefill", ListenSettings.loopback(), options), host));
    }

    private int[] tokens(int count) {
        return random.ints(count, ByteVocabulary.FIRST_BYTE, TinyModel.VOCABULARY)
                .toArray();
    }

    /** What an engine of its own computes for {@code tokens}: units by layer and block, and the hidden state. */
    private record Computed(byte[][][] units, float[] hidden) {

        static Computed of(int[] tokens, EngineOptions options) throws Exception {
            CompletableFuture<Computed> done = new CompletableFuture<>();
            try (Engine engine = host.start("reference", options)) {
                PrefillHandle handle = engine.prefill(
                        new PrefillRequest(
                                "reference",
                                tokens,
                                SequenceRoot.of(engine.fingerprint().digest(), "", new byte[0], SequenceRoot.LOSSLESS),
                                0),
                        new Recording(done));
                Computed computed = done.get(30, TimeUnit.SECONDS);
                handle.release();
                return computed;
            }
        }
    }

    private static final class Recording implements PrefillListener {

        private final CompletableFuture<Computed> done;
        private final CompletableFuture<KvUnits> started = new CompletableFuture<>();

        Recording(CompletableFuture<Computed> done) {
            this.done = done;
        }

        @Override
        public void queued(int requestsAhead) {}

        @Override
        public void started(int cachedBlocks, KvUnits units) {
            started.complete(units);
        }

        @Override
        public void layerFinished(int layer, int firstToken, int endToken) {}

        @Override
        public void chunkFinished(int tokensDone) {}

        @Override
        public void finished(float[] hidden, PrefillTimes times) {
            KvUnits units = started.join();
            byte[][][] bytes = new byte[units.layers()][units.blocks()][];
            for (int layer = 0; layer < units.layers(); layer++) {
                for (int block = 0; block < units.blocks(); block++) {
                    bytes[layer][block] = units.unit(layer, block).toArray(ValueLayout.JAVA_BYTE);
                }
            }
            done.complete(new Computed(bytes, hidden));
        }

        @Override
        public void failed(EngineException cause) {
            done.completeExceptionally(cause);
        }
    }

    private static void assertSame(Received received, Computed computed, VerifiedBlocks notSent) throws Exception {
        assertThat(received.complete().hidden()).containsExactly(computed.hidden());
        for (int layer = 0; layer < MODEL.layers(); layer++) {
            for (int block = notSent.in(layer); block < received.shape.blocks(); block++) {
                assertThat(received.unit(layer, block).toArray(ValueLayout.JAVA_BYTE))
                        .as("layer %d, block %d", layer, block)
                        .isEqualTo(computed.units()[layer][block]);
            }
        }
    }

    @Test
    void theReceiverHasTheBitsOfAnEngineOfItsOwnWhateverBlocksChunksAndCache() throws Exception {
        for (int blockTokens : new int[] {16, 32}) {
            for (int chunkTokens : new int[] {7, 32, 256}) {
                EngineOptions options = options(blockTokens, chunkTokens, 8 << 20, 16);
                PrefillUnderTest under = start(options);
                try {
                    int[] base = tokens(4 * blockTokens + 3);
                    for (int count : new int[] {1, blockTokens - 1, blockTokens, blockTokens + 1, base.length}) {
                        int[] prompt = Arrays.copyOf(base, count);
                        Computed computed = Computed.of(prompt, options(blockTokens, 64, 8 << 20, 16));
                        assertSame(under.receive(under.ask(prompt)), computed, VerifiedBlocks.whole(0, MODEL.layers()));
                        Received again = under.receive(under.ask(prompt));
                        assertSame(again, computed, VerifiedBlocks.whole(0, MODEL.layers()));
                        assertThat(again.complete().cachedTokens()).isEqualTo((count - 1) / blockTokens * blockTokens);
                    }
                    under.node.engine().checkInvariants();
                    Waiting.until(
                            "no block is in use",
                            () -> under.node.engine().load().usedBlocks() == 0);
                } finally {
                    under.close();
                }
            }
        }
    }

    @Test
    void slotsBeyondTheLastTokenAreZeroThoughTheirBlocksHadOtherOwners() throws Exception {
        EngineOptions options = options(16, 64, 60_000, 16); // a handful of blocks, so that they are reused
        PrefillUnderTest under = start(options);
        try {
            int capacity = under.node.engine().load().blockCapacity();
            assertThat(capacity).isBetween(3, 16);
            for (int round = 0; round < 6; round++) {
                under.receive(under.ask(tokens(capacity * 16))).complete();
                int[] prompt = tokens(17);
                assertSame(
                        under.receive(under.ask(prompt)),
                        Computed.of(prompt, options(16, 64, 1 << 20, 16)),
                        VerifiedBlocks.whole(0, MODEL.layers()));
            }
        } finally {
            under.close();
        }
    }

    @Test
    void anAttemptGoesOnFromWhatAnEarlierOneVerified() throws Exception {
        EngineOptions options = options(16, 32, 8 << 20, 16);
        PrefillUnderTest under = start(options);
        try {
            int[] prompt = tokens(150);
            Asked asked = under.ask(prompt);
            asked.held = new VerifiedBlocks(3, new int[] {4, 2, 0});
            Received received = under.receive(asked);
            assertThat(received.complete().received().units()).isEqualTo(3 * 10 - 3 * 3 - 6);
            assertSame(received, Computed.of(prompt, options), asked.held);
        } finally {
            under.close();
        }
    }

    @Test
    void cancelledPrefillsLeaveThePoolAsItWas() throws Exception {
        EngineOptions options = options(16, 8, 4 << 20, 64);
        PrefillUnderTest under = start(options);
        try {
            List<Received> running = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                running.add(under.receive(under.ask(tokens(200 + random.nextInt(300)))));
            }
            CompletableFuture.anyOf(running.stream() // which one comes first, nobody says
                            .map(received -> received.computing)
                            .toArray(CompletableFuture<?>[]::new))
                    .get(20, TimeUnit.SECONDS);
            for (Received received : running) {
                received.receiver.join().cancel("client gone");
            }
            for (Received received : running) {
                if (received.await() instanceof ReceiveOutcome.Failed failed) {
                    assertThat(failed.reason()).isEqualTo(FailureReason.CANCELLED);
                }
            }
            Waiting.until("no block is in use", () -> under.node.engine().load().usedBlocks() == 0);
            Waiting.until("no sequence waits", () -> under.node.engine().load().waitingSequences() == 0);
            under.node.engine().checkInvariants();
            int[] prompt = tokens(40);
            assertSame(under.receive(under.ask(prompt)), Computed.of(prompt, options), VerifiedBlocks.whole(0, 3));
        } finally {
            under.close();
        }
    }

    @Test
    void aFullQueueAndAPromptLargerThanThePoolAreOverload() throws Exception {
        EngineOptions options = options(16, 8, 60_000, 2);
        PrefillUnderTest under = start(options);
        try {
            ReceiveOutcome.Failed tooLarge =
                    under.receive(under.ask(tokens(MODEL.contextLength()))).failed();
            assertThat(tooLarge.reason()).isEqualTo(FailureReason.OVERLOADED);
            assertThat(tooLarge.detail()).contains("the whole pool has");
            List<Received> many = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                many.add(under.receive(under.ask(tokens(100))));
            }
            int refused = 0;
            for (Received received : many) {
                if (received.await() instanceof ReceiveOutcome.Failed failed) {
                    assertThat(failed.reason()).isEqualTo(FailureReason.OVERLOADED);
                    assertThat(failed.detail()).contains("requests wait already");
                    refused++;
                }
            }
            assertThat(refused).isBetween(1, 39);
            Waiting.until("no block is in use", () -> under.node.engine().load().usedBlocks() == 0);
            under.node.engine().checkInvariants();
        } finally {
            under.close();
        }
    }

    @Test
    void aNodeOfAnotherModelIsRefused() throws Exception {
        HostOptions hostOptions = new HostOptions(Optional.empty(), KernelChoice.AUTO, 1, OptionalLong.of(1L << 36));
        EngineOptions options = options(16, 32, 1 << 20, 16);
        PrefillUnderTest under = start(options);
        try (EngineHost other = EngineHost.open(
                        model(2).writeTo(directory.resolve("other.gguf")), hostOptions, LoadProgress.NONE);
                Engine engine = other.start("other", options)) {
            Asked asked = under.ask(tokens(20));
            asked.fingerprint = engine.fingerprint();
            ReceiveOutcome.Failed refused = under.receive(asked).failed();
            assertThat(refused.reason()).isEqualTo(FailureReason.MISMATCH);
            assertThat(refused.detail()).contains("weights_digest differs");
        } finally {
            under.close();
        }
    }

    @Test
    void differentSaltsShareNothing() throws Exception {
        PrefillUnderTest under = start(options(16, 32, 1 << 20, 16));
        try {
            int[] prompt = tokens(40);
            for (byte salt = 0; salt < 3; salt++) {
                Asked asked = under.ask(prompt);
                asked.salt = new byte[32];
                asked.salt[0] = salt;
                assertThat(under.receive(asked).complete().cachedTokens()).isZero();
                assertThat(under.receive(asked).complete().cachedTokens()).isEqualTo(32);
            }
        } finally {
            under.close();
        }
    }
}

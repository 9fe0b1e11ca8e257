package io.baton.prefill;

import io.baton.engine.Engine;
import io.baton.kv.BlockChain;
import io.baton.kv.SequenceFingerprint;
import io.baton.kv.SequenceRoot;
import io.baton.proto.v1.PrefillStart;
import io.baton.serving.Fingerprints;
import io.baton.transfer.Handoff;
import io.baton.transfer.KvReceiver;
import io.baton.transfer.ProgressReport;
import io.baton.transfer.ReceiveListener;
import io.baton.transfer.ReceiveOutcome;
import io.baton.transfer.ReceivePlan;
import io.baton.transfer.Timing;
import io.baton.transfer.TransferShape;
import io.baton.transfer.VerifiedBlocks;
import io.baton.transfer.WireVersions;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A prefill node on loopback, and decode nodes that ask it. */
final class PrefillUnderTest {

    final PrefillNode node;
    final ManagedChannel channel;
    final Timing timing = Timing.ofSystem("prefill-test");
    private final Engine engine;
    private long nextHandoff = 1;

    PrefillUnderTest(PrefillNode node) {
        this.node = node;
        this.engine = node.engine();
        this.channel = NettyChannelBuilder.forAddress("127.0.0.1", node.port())
                .usePlaintext()
                .build();
    }

    /** What a decode node asks for; tests change what they are about. */
    static final class Asked {
        final int[] tokens;
        VerifiedBlocks held;
        SequenceFingerprint fingerprint;
        WireVersions versions = WireVersions.SUPPORTED;
        CallOptions options = CallOptions.DEFAULT;
        byte[] salt = {};
        Consumer<PrefillStart.Builder> change = start -> {};

        Asked(int[] tokens, Engine engine) {
            this.tokens = tokens;
            this.held = VerifiedBlocks.whole(0, engine.shape().layers());
            this.fingerprint = engine.fingerprint();
        }
    }

    Asked ask(int... tokens) {
        return new Asked(tokens, engine);
    }

    /** One attempt to receive, with blocks of its own. */
    static final class Received implements ReceiveListener {

        final TransferShape shape;
        final MemorySegment memory;
        final CompletableFuture<ReceiveOutcome> outcome = new CompletableFuture<>();
        final CompletableFuture<ProgressReport> computing = new CompletableFuture<>();
        final CompletableFuture<KvReceiver> receiver = new CompletableFuture<>();

        Received(TransferShape shape) {
            this.shape = shape;
            this.memory = Arena.ofAuto().allocate(shape.units() * shape.unitBytes(), 64);
            memory.fill((byte) -1); // whatever was there before
        }

        MemorySegment unit(int layer, int block) {
            return memory.asSlice((layer * shape.blocks() + block) * shape.unitBytes(), shape.unitBytes());
        }

        @Override
        public void progress(ProgressReport report) {
            if (report.phase() != ProgressReport.Phase.QUEUED && computing.complete(report)) {
                receiver.join().grant(this::unit);
            }
        }

        @Override
        public void verified(int wholeBlocks) {}

        @Override
        public void ended(ReceiveOutcome told) {
            outcome.complete(told);
            computing.completeExceptionally(new AssertionError("it ended before it computed: " + told));
        }

        ReceiveOutcome await() throws Exception {
            return outcome.get(20, TimeUnit.SECONDS);
        }

        ReceiveOutcome.Complete complete() throws Exception {
            if (await() instanceof ReceiveOutcome.Complete complete) {
                return complete;
            }
            throw new AssertionError(await());
        }

        ReceiveOutcome.Failed failed() throws Exception {
            if (await() instanceof ReceiveOutcome.Failed failed) {
                return failed;
            }
            throw new AssertionError(await());
        }
    }

    Received receive(Asked asked) {
        TransferShape shape = TransferShape.of(
                engine.shape().layers(), engine.unitBytes(), engine.options().blockTokens(), asked.tokens.length);
        Received received = new Received(shape);
        SequenceRoot root = SequenceRoot.of(engine.fingerprint().digest(), "", asked.salt, SequenceRoot.LOSSLESS);
        ReceivePlan plan = new ReceivePlan(
                new Handoff(nextHandoff++, 1),
                shape,
                BlockChain.of(root, asked.tokens, shape.blockTokens()),
                asked.held,
                engine.shape().dim(),
                Duration.ofSeconds(3),
                asked.versions);
        received.receiver.complete(KvReceiver.prefill(channel, asked.options, start(asked), plan, received, timing));
        return received;
    }

    PrefillStart.Builder start(Asked asked) {
        PrefillStart.Builder start = PrefillStart.newBuilder().setFingerprint(Fingerprints.toProto(asked.fingerprint));
        start.getContextBuilder()
                .setRequestId("test")
                .setAttempt(1)
                .setEffectiveSalt(com.google.protobuf.ByteString.copyFrom(asked.salt));
        for (int token : asked.tokens) {
            start.addTokenIds(token);
        }
        asked.change.accept(start);
        return start;
    }

    void close() throws Exception {
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        node.close();
        timing.scheduler().shutdownNow();
    }
}

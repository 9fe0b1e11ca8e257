package io.baton.decode;

import io.baton.kv.BlockChain;
import io.baton.kv.SequenceRoot;
import io.baton.proto.v1.PrefillControl;
import io.baton.proto.v1.PrefillStart;
import io.baton.transfer.FailureReason;
import io.baton.transfer.Handoff;
import io.baton.transfer.KvSender;
import io.baton.transfer.OutgoingFrame;
import io.baton.transfer.PrefillMethod;
import io.baton.transfer.SendListener;
import io.baton.transfer.SendPlan;
import io.baton.transfer.SenderTimes;
import io.baton.transfer.Timing;
import io.baton.transfer.TransferShape;
import io.baton.transfer.VerifiedBlocks;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** A prefill node that says what its script says, in real frames over a real connection. */
final class ScriptedPrefillNode implements AutoCloseable {

    static final SenderTimes TIMES = new SenderTimes(Duration.ofNanos(2_000), Duration.ZERO, Duration.ofNanos(5_000));

    final List<Handing> handings = new CopyOnWriteArrayList<>();
    private final Server server;
    private final String address;
    private final ExecutorService senders = Executors.newFixedThreadPool(2);
    private final Timing timing = Timing.ofSystem("scripted-prefill");
    private volatile Consumer<Handing> script;

    private ScriptedPrefillNode(Consumer<Handing> script, ServerInterceptor tampering) {
        this.script = script;
        try {
            server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .addService(ServerInterceptors.intercept(
                            ServerInterceptors.useInputStreamMessages(
                                    PrefillMethod.service((call, headers) -> answer(call))),
                            tampering))
                    .build()
                    .start();
            address = "127.0.0.1:" + server.getPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ScriptedPrefillNode that(Consumer<Handing> script) {
        return new ScriptedPrefillNode(script, new Tampering(-1));
    }

    /** Serves every prompt. */
    static ScriptedPrefillNode serving() {
        return that(Handing::serve);
    }

    /** Serves every prompt, and flips a bit in the last byte of one frame of each stream. */
    static ScriptedPrefillNode corrupting(int frame) {
        return new ScriptedPrefillNode(Handing::serve, new Tampering(frame));
    }

    static ScriptedPrefillNode refusing(Status status, FailureReason reason) {
        return that(handing -> handing.call.close(status, reason.trailers()));
    }

    String address() {
        return address;
    }

    void script(Consumer<Handing> next) {
        script = next;
    }

    Handing onlyHanding() {
        if (handings.size() != 1) {
            throw new AssertionError("expected one stream, found " + handings.size());
        }
        return handings.getFirst();
    }

    private ServerCall.Listener<PrefillControl> answer(ServerCall<PrefillControl, OutgoingFrame> call) {
        Handing handing = new Handing(call);
        call.request(10);
        return new ServerCall.Listener<>() {
            @Override
            public void onMessage(PrefillControl control) {
                switch (control.getControlCase()) {
                    case START -> {
                        handing.begin(control.getStart());
                        handings.add(handing);
                        script.accept(handing);
                    }
                    case GRANT -> {
                        handing.granted.countDown();
                        handing.told(KvSender::granted);
                    }
                    case ACK -> {
                        handing.acknowledged.countDown();
                        handing.told(KvSender::acknowledged);
                    }
                    case CONTROL_NOT_SET -> throw new AssertionError("an empty control message");
                }
            }

            @Override
            public void onReady() {
                handing.told(KvSender::ready);
            }

            @Override
            public void onCancel() {
                handing.cancelled.countDown();
                handing.told(KvSender::cancelled);
            }
        };
    }

    /** As a process that dies: every connection is reset. */
    void die() {
        server.shutdownNow();
    }

    @Override
    public void close() {
        server.shutdownNow();
        senders.shutdownNow();
        timing.scheduler().shutdownNow();
    }

    /** One stream. The script drives it by the methods below. */
    final class Handing {

        final ServerCall<PrefillControl, OutgoingFrame> call;
        final CountDownLatch granted = new CountDownLatch(1);
        final CountDownLatch acknowledged = new CountDownLatch(1);
        final CountDownLatch cancelled = new CountDownLatch(1);
        volatile PrefillStart start = PrefillStart.getDefaultInstance();
        private volatile List<KvSender> opened = List.of();
        private int cachedBlocks;

        private Handing(ServerCall<PrefillControl, OutgoingFrame> call) {
            this.call = call;
        }

        private void begin(PrefillStart received) {
            start = received;
        }

        /** The other end of the connection it came on. */
        String peer() {
            return String.valueOf(call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
        }

        private void told(Consumer<KvSender> what) {
            opened.forEach(what);
        }

        TransferShape shape() {
            return TransferShape.of(
                    ScriptedEngine.LAYERS,
                    ScriptedEngine.UNIT_BYTES,
                    ScriptedEngine.BLOCK_TOKENS,
                    start.getTokenIdsCount());
        }

        /** Opens the stream and reports QUEUED from then on. */
        KvSender queue() {
            SequenceRoot root = SequenceRoot.of(
                    ScriptedEngine.FINGERPRINT.digest(),
                    "",
                    start.getContext().getEffectiveSalt().toByteArray(),
                    SequenceRoot.LOSSLESS);
            int[] tokens =
                    start.getTokenIdsList().stream().mapToInt(Integer::intValue).toArray();
            SendPlan plan = new SendPlan(
                    new Handoff(start.getHandoffId(), start.getContext().getAttempt()),
                    shape(),
                    BlockChain.of(root, tokens, ScriptedEngine.BLOCK_TOKENS),
                    new VerifiedBlocks(
                            start.getVerifiedBlocks(),
                            start.getVerifiedBlocksByLayerList().stream()
                                    .mapToInt(Integer::intValue)
                                    .toArray()),
                    start.getMaxWireVersion(),
                    SendPlan.Kind.PREFILL);
            KvSender sender = KvSender.open(call, plan, senders, timing, new SendListener() {
                @Override
                public void released() {
                    // the units below are not from a pool
                }

                @Override
                public void ended(Status status, int units, long bytes) {
                    // seen by the test on the other side
                }
            });
            opened = List.of(sender);
            return sender;
        }

        /** Starts computing with this many blocks from the node's own cache. */
        KvSender compute(int cached) {
            cachedBlocks = cached;
            KvSender sender = queue();
            sender.started(cached, ScriptedPrefillNode::unit);
            return sender;
        }

        /** Announces the first {@code tokens} tokens of every layer. */
        void announce(KvSender sender, int tokens) {
            for (int layer = 0; layer < ScriptedEngine.LAYERS; layer++) {
                sender.layerReady(layer, cachedBlocks * ScriptedEngine.BLOCK_TOKENS, tokens);
            }
        }

        void serve() {
            serve(0);
        }

        void serve(int cached) {
            KvSender sender = compute(cached);
            announce(sender, start.getTokenIdsCount());
            sender.finished(hidden(), TIMES);
        }
    }

    /** What the node says the last token's state is. */
    static float[] hidden() {
        float[] hidden = new float[ScriptedEngine.DIM];
        for (int i = 0; i < hidden.length; i++) {
            hidden[i] = i + 0.5f;
        }
        return hidden;
    }

    /** The bytes of a unit, different for each. */
    static MemorySegment unit(int layer, int block) {
        MemorySegment unit = Arena.ofAuto().allocate(ScriptedEngine.UNIT_BYTES);
        for (long offset = 0; offset < unit.byteSize(); offset += Long.BYTES) {
            unit.set(ValueLayout.JAVA_LONG, offset, (layer * 1_000L + block) * 1_000_003 + offset);
        }
        return unit;
    }

    /** Flips a bit of one frame of every stream on its way out. */
    private record Tampering(int frame) implements ServerInterceptor {
        @Override
        public <Q, S> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, S> call, Metadata headers, io.grpc.ServerCallHandler<Q, S> next) {
            return next.startCall(frame < 0 ? call : new TamperedCall<>(call, frame), headers);
        }
    }
}

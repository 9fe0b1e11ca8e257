package io.baton.e2e.fault;

import io.baton.proto.v1.CallContext;
import io.baton.proto.v1.KvFrame;
import io.baton.proto.v1.NodeGrpc;
import io.baton.proto.v1.PrefillControl;
import io.baton.proto.v1.PrefillGrpc;
import io.baton.proto.v1.PrefillStart;
import io.baton.proto.v1.SequenceFingerprint;
import io.baton.proto.v1.WatchRequest;
import io.baton.testing.Waiting;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;

/**
 * A receiver that has a prefill node compute a prompt and then grants no blocks: what was computed stays in the node's
 * pool, and what does not fit beside it waits, until the hog is closed (or the node has had enough of it, after 30 s).
 */
final class PoolHog implements AutoCloseable {

    private final ClusterPlace place;
    private final ManagedChannel channel;

    private PoolHog(ClusterPlace place) {
        this.place = place;
        this.channel = NettyChannelBuilder.forAddress(
                        "127.0.0.1", place.process().port().join())
                .usePlaintext()
                .build();
    }

    /** Begins to take the blocks of {@code prompt} on a prefill node that has nothing else to do. */
    static PoolHog on(ClusterPlace place, List<Integer> prompt) {
        PoolHog hog = new PoolHog(place);
        StreamObserver<PrefillControl> control =
                PrefillGrpc.newStub(hog.channel).prefill(new Indifferent());
        control.onNext(PrefillControl.newBuilder()
                .setStart(PrefillStart.newBuilder()
                        .setContext(CallContext.newBuilder().setRequestId("hog"))
                        .setFingerprint(hog.fingerprint())
                        .setMinWireVersion(1)
                        .setMaxWireVersion(1)
                        .setHandoffId(1)
                        .addAllTokenIds(prompt))
                .build());
        return hog;
    }

    /** Waits until everything is computed, and nothing but the blocks is in the way of others. */
    void awaitComputed(Duration limit) {
        Waiting.until("the hog has its blocks", limit, () -> {
            Gauges now = place.gauges();
            return now.usedBlocks() > 0 && now.prefillTokens() == 0;
        });
    }

    private SequenceFingerprint fingerprint() {
        return NodeGrpc.newBlockingStub(channel)
                .watch(WatchRequest.getDefaultInstance())
                .next()
                .getHello()
                .getFingerprint();
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }

    /** Hears progress, and in the end that its call is gone. */
    private static final class Indifferent implements StreamObserver<KvFrame> {
        @Override
        public void onNext(KvFrame frame) {
            // nothing is granted, whatever comes
        }

        @Override
        public void onError(Throwable thrown) {
            // closed, or its node was killed
        }

        @Override
        public void onCompleted() {
            // never, without an acknowledgement
        }
    }
}

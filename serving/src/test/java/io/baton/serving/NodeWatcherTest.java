package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.kv.BlockKey;
import io.baton.proto.v1.BlockRef;
import io.baton.proto.v1.BlocksStored;
import io.baton.proto.v1.Heartbeat;
import io.baton.proto.v1.NodeEvent;
import io.baton.proto.v1.NodeGrpc;
import io.baton.proto.v1.NodeHello;
import io.baton.proto.v1.NodeLoad;
import io.baton.proto.v1.SnapshotPart;
import io.baton.proto.v1.WatchRequest;
import io.baton.testing.ManualScheduler;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NodeWatcherTest {

    /** @param cancelled counted down once the node knows that the watcher gave the stream up */
    private record Stream(WatchRequest request, StreamObserver<NodeEvent> events, CountDownLatch cancelled) {}

    private final BlockingQueue<Stream> streams = new LinkedBlockingQueue<>();
    private final BlockingQueue<NodeUpdate> updates = new LinkedBlockingQueue<>();
    private final ManualScheduler scheduler = new ManualScheduler();
    private final Channels channels = new Channels(TlsSettings.plaintext());
    private GrpcServer server;
    private NodeWatcher watcher;

    @BeforeEach
    void start() {
        server = GrpcServer.builder("node", ListenSettings.loopback())
                .service(new NodeGrpc.NodeImplBase() {
                    @Override
                    public void watch(WatchRequest request, StreamObserver<NodeEvent> events) {
                        CountDownLatch cancelled = new CountDownLatch(1);
                        ((ServerCallStreamObserver<NodeEvent>) events).setOnCancelHandler(cancelled::countDown);
                        streams.add(new Stream(request, events, cancelled));
                    }
                })
                .start();
        watcher = NodeWatcher.start(
                channels,
                "127.0.0.1:" + server.port(),
                PeerRole.DECODE,
                updates::add,
                scheduler,
                new Random(1),
                new NodeWatcher.Options(
                        Duration.ofSeconds(10), new Backoff(Duration.ofMillis(250), Duration.ofSeconds(5))));
    }

    @AfterEach
    void stop() {
        watcher.close();
        channels.close();
        server.close();
    }

    @Test
    void aSnapshotArrivesWholeAndDeltasFollow() {
        Stream stream = accepted();
        assertThat(stream.request()).isEqualTo(WatchRequest.getDefaultInstance());
        send(stream, hello(5, 10));
        send(stream, part(5, 10, false, 1, 2));
        send(stream, part(5, 10, true, 3));
        send(stream, stored(5, 11, 4));

        assertThat(next(NodeUpdate.Connected.class).reset()).isTrue();
        NodeUpdate.Snapshot snapshot = next(NodeUpdate.Snapshot.class);
        assertThat(snapshot.blocks()).containsExactly(key(1), key(2), key(3));
        assertThat(snapshot.load().getFreeBlocks()).isEqualTo(99);
        assertThat(next(NodeUpdate.Stored.class).blocks()).containsExactly(key(4));
    }

    @Test
    void aBrokenStreamIsTakenUpAgainWhereItStopped() {
        Stream first = accepted();
        send(first, hello(5, 10));
        send(first, part(5, 10, true));
        send(first, stored(5, 11, 1));
        first.events().onError(Status.UNAVAILABLE.withDescription("bye").asRuntimeException());
        next(NodeUpdate.Connected.class);
        next(NodeUpdate.Snapshot.class);
        next(NodeUpdate.Stored.class);
        assertThat(next(NodeUpdate.Lost.class).status().getDescription()).isEqualTo("bye");

        scheduler.advance(Duration.ofMillis(250));
        Stream second = accepted();
        assertThat(second.request().getEpoch()).isEqualTo(5);
        assertThat(second.request().getLastSequence()).isEqualTo(11);
        send(second, hello(5, 11));
        send(second, stored(5, 12, 2));
        assertThat(next(NodeUpdate.Connected.class).reset()).isFalse();
        assertThat(next(NodeUpdate.Stored.class).blocks()).containsExactly(key(2));
    }

    @Test
    void aNewEpochDropsWhatWasKnown() {
        Stream first = accepted();
        send(first, hello(5, 10));
        send(first, part(5, 10, true, 1));
        first.events().onCompleted();
        next(NodeUpdate.Connected.class);
        next(NodeUpdate.Snapshot.class);
        next(NodeUpdate.Lost.class);
        scheduler.advance(Duration.ofMillis(250));
        Stream second = accepted();
        send(second, hello(6, 0));
        send(second, part(6, 0, true));
        assertThat(next(NodeUpdate.Connected.class).reset()).isTrue();
        assertThat(next(NodeUpdate.Snapshot.class).blocks()).isEmpty();
    }

    @Test
    void aGapInTheSequenceLeadsToASnapshotNotToAWrongView() {
        Stream first = accepted();
        send(first, hello(5, 10));
        send(first, part(5, 10, true, 1));
        send(first, stored(5, 12, 3));
        next(NodeUpdate.Connected.class);
        next(NodeUpdate.Snapshot.class);
        Status lost = next(NodeUpdate.Lost.class).status();
        assertThat(lost.getCode()).isEqualTo(Status.Code.DATA_LOSS);
        assertThat(lost.getDescription()).isEqualTo("expected event 11, found 12");
        scheduler.advance(Duration.ofMillis(250));
        assertThat(accepted().request()).isEqualTo(WatchRequest.getDefaultInstance());
    }

    @Test
    void aHeartbeatShowsThatADeltaWasLost() {
        Stream first = accepted();
        send(first, hello(5, 10));
        send(first, part(5, 10, true, 1));
        send(first, beat(5, 11, false));
        next(NodeUpdate.Connected.class);
        next(NodeUpdate.Snapshot.class);
        assertThat(next(NodeUpdate.Lost.class).status().getDescription())
                .isEqualTo("expected a heartbeat at event 10, found 11");
    }

    @Test
    void aSnapshotLargerThanTheNodesPoolIsRefused() {
        Stream first = accepted();
        send(first, hello(5, 10)); // capacity 4
        send(first, part(5, 10, false, 1, 2, 3, 4, 5));
        next(NodeUpdate.Connected.class);
        assertThat(next(NodeUpdate.Lost.class).status().getDescription()).contains("more than the 4 blocks");
    }

    @Test
    void aSilentStreamIsBrokenAndDialledAgain() {
        Stream first = accepted();
        send(first, hello(5, 0));
        send(first, part(5, 0, true));
        send(first, beat(5, 0, true));
        next(NodeUpdate.Connected.class);
        next(NodeUpdate.Snapshot.class);
        assertThat(next(NodeUpdate.Beat.class).draining()).isTrue();
        scheduler.advance(Duration.ofSeconds(10)); // heard something in the first of these
        assertThat(updates).isEmpty();
        scheduler.advance(Duration.ofSeconds(10));
        assertThat(next(NodeUpdate.Lost.class).status().getDescription()).isEqualTo("no event for PT10S");
        scheduler.advance(Duration.ofMillis(250));
        assertThat(accepted().request().getEpoch()).isEqualTo(5);
    }

    @Test
    void waitsGrowWithEveryFailureUpToTheLimitAndStartAnewAfterSuccess() {
        for (int failures = 0; failures < 8; failures++) {
            accepted().events().onError(Status.UNAVAILABLE.asRuntimeException());
            next(NodeUpdate.Lost.class);
            Duration wait = scheduler.waiting().getFirst();
            Duration most = Duration.ofMillis(Math.min(5000, 250L << failures));
            assertThat(wait).isBetween(most.dividedBy(2), most);
            scheduler.advance(wait);
        }
        Stream stream = accepted();
        send(stream, hello(5, 0));
        stream.events().onError(Status.UNAVAILABLE.asRuntimeException());
        next(NodeUpdate.Connected.class);
        next(NodeUpdate.Lost.class);
        assertThat(scheduler.waiting().getFirst()).isLessThanOrEqualTo(Duration.ofMillis(250));
    }

    @Test
    void afterCloseTheListenerHearsNothingMore() throws InterruptedException {
        Stream stream = accepted();
        send(stream, hello(5, 0));
        next(NodeUpdate.Connected.class);
        send(stream, part(5, 0, true)); // on its way while the watcher closes: heard before that or never
        watcher.close();
        int heard = updates.size();
        assertThat(stream.cancelled().await(20, TimeUnit.SECONDS)).isTrue();
        send(stream, beat(5, 0, false));
        scheduler.advance(Duration.ofMinutes(1));
        assertThat(updates).hasSize(heard);
        assertThat(streams).isEmpty();
    }

    @Test
    void aWatcherFollowsARealNodeThroughItsRestart() {
        watcher.close();
        ManualScheduler beats = new ManualScheduler();
        NodeHello hello =
                NodeHello.newBuilder().setInstanceId("a").setBlockCapacity(100).build();
        NodeEvents before =
                new NodeEvents(hello, NodeLoad::getDefaultInstance, 1, beats, NodeEvents.Options.defaults());
        before.stored(List.of(key(1), key(2)));
        GrpcServer node = GrpcServer.builder("node", ListenSettings.loopback())
                .service(before.service())
                .start();
        int port = node.port();
        BlockingQueue<NodeUpdate> heard = new LinkedBlockingQueue<>();
        watcher = NodeWatcher.start(
                channels,
                "127.0.0.1:" + port,
                PeerRole.DECODE,
                heard::add,
                scheduler,
                new Random(1),
                NodeWatcher.Options.defaults());
        assertThat(poll(heard)).isInstanceOf(NodeUpdate.Connected.class);
        assertThat(((NodeUpdate.Snapshot) poll(heard)).blocks()).containsExactly(key(1), key(2));
        before.close();
        node.close();
        assertThat(poll(heard)).isInstanceOf(NodeUpdate.Lost.class);

        NodeEvents after = new NodeEvents(hello, NodeLoad::getDefaultInstance, 2, beats, NodeEvents.Options.defaults());
        GrpcServer again = GrpcServer.builder(
                        "node", new ListenSettings("127.0.0.1", port, Optional.empty(), TlsSettings.plaintext()))
                .service(after.service())
                .start();
        NodeUpdate update = new NodeUpdate.Lost(Status.UNAVAILABLE);
        while (update instanceof NodeUpdate.Lost) {
            scheduler.advance(Duration.ofSeconds(5));
            update = poll(heard);
        }
        assertThat(((NodeUpdate.Connected) update).reset()).isTrue();
        assertThat(((NodeUpdate.Snapshot) poll(heard)).blocks()).isEmpty();
        after.close();
        again.close();
    }

    private Stream accepted() {
        return poll(streams);
    }

    private <U extends NodeUpdate> U next(Class<U> type) {
        NodeUpdate update = poll(updates);
        assertThat(update).isInstanceOf(type);
        return type.cast(update);
    }

    private static <T> T poll(BlockingQueue<T> queue) {
        try {
            T value = queue.poll(20, TimeUnit.SECONDS);
            assertThat(value).as("something within 20 s").isNotNull();
            return value;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void send(Stream stream, NodeEvent.Builder event) {
        stream.events()
                .onNext(event.setLoad(NodeLoad.newBuilder().setFreeBlocks(99)).build());
    }

    private static NodeEvent.Builder event(long epoch, long sequence) {
        return NodeEvent.newBuilder().setEpoch(epoch).setSequence(sequence);
    }

    private static NodeEvent.Builder hello(long epoch, long sequence) {
        return event(epoch, sequence).setHello(NodeHello.newBuilder().setBlockCapacity(4));
    }

    private static NodeEvent.Builder part(long epoch, long sequence, boolean last, long... keys) {
        SnapshotPart.Builder part = SnapshotPart.newBuilder().setLast(last);
        for (long key : keys) {
            part.addBlocks(ref(key));
        }
        return event(epoch, sequence).setSnapshot(part);
    }

    private static NodeEvent.Builder stored(long epoch, long sequence, long key) {
        return event(epoch, sequence).setStored(BlocksStored.newBuilder().addBlocks(ref(key)));
    }

    private static NodeEvent.Builder beat(long epoch, long sequence, boolean draining) {
        return event(epoch, sequence).setHeartbeat(Heartbeat.newBuilder().setDraining(draining));
    }

    private static BlockRef ref(long key) {
        return Fingerprints.toProto(key(key));
    }

    private static BlockKey key(long n) {
        return new BlockKey(n, -n);
    }
}

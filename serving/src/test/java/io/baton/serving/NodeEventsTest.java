package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.kv.BlockKey;
import io.baton.proto.v1.NodeEvent;
import io.baton.proto.v1.NodeGrpc;
import io.baton.proto.v1.NodeHello;
import io.baton.proto.v1.NodeLoad;
import io.baton.proto.v1.WatchRequest;
import io.baton.testing.ManualScheduler;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NodeEventsTest {

    private static final long EPOCH = 7;
    private static final Duration BEAT = Duration.ofSeconds(1);

    private final ManualScheduler scheduler = new ManualScheduler();
    private final AtomicLong queued = new AtomicLong();
    private final Channels channels = new Channels(TlsSettings.plaintext());
    private NodeEvents events;
    private GrpcServer server;

    @BeforeEach
    void start() {
        start(new NodeEvents.Options(64, 4, BEAT, 3, 2));
    }

    private void start(NodeEvents.Options options) {
        events = new NodeEvents(
                NodeHello.newBuilder()
                        .setInstanceId("node-1")
                        .setBlockCapacity(1 << 20)
                        .build(),
                () -> NodeLoad.newBuilder().setQueuedPrefillTokens(queued.get()).build(),
                EPOCH,
                scheduler,
                options);
        server = GrpcServer.builder("node", ListenSettings.loopback())
                .service(events.service())
                .start();
    }

    @AfterEach
    void stop() {
        events.close();
        channels.close();
        server.close();
    }

    @Test
    void aNewWatcherHearsHelloThenTheSnapshotThenDeltas() {
        events.stored(keys(0, 6));
        events.removed(keys(1, 2));
        Watch watch = watch(0, 0);

        NodeEvent hello = watch.next();
        assertThat(hello.getHello().getInstanceId()).isEqualTo("node-1");
        assertThat(hello.getEpoch()).isEqualTo(EPOCH);
        NodeEvent first = watch.next();
        NodeEvent second = watch.next();
        assertThat(first.getSnapshot().getLast()).isFalse();
        assertThat(second.getSnapshot().getLast()).isTrue();
        assertThat(List.of(first.getSequence(), second.getSequence())).containsOnly(hello.getSequence());
        assertThat(blocks(first, second)).containsExactlyElementsOf(List.of(key(0), key(2), key(3), key(4), key(5)));

        events.stored(keys(10, 12));
        NodeEvent stored = watch.next();
        assertThat(stored.getSequence()).isEqualTo(hello.getSequence() + 1);
        assertThat(stored.getStored().getBlocksCount()).isEqualTo(2);
        events.removed(keys(10, 11));
        assertThat(watch.next().getRemoved().getBlocksCount()).isEqualTo(1);
    }

    @Test
    void anEmptyCacheIsAnEmptySnapshot() {
        Watch watch = watch(0, 0);
        assertThat(watch.next().hasHello()).isTrue();
        assertThat(watch.next().getSnapshot().getLast()).isTrue();
    }

    @Test
    void aWatcherThatComesBackInTimeGoesOnWithoutASnapshot() {
        events.stored(keys(0, 1));
        events.stored(keys(1, 2));
        events.stored(keys(2, 3));
        Watch watch = watch(EPOCH, 1);
        assertThat(watch.next().hasHello()).isTrue();
        assertThat(blocks(watch.next(), watch.next())).containsExactly(key(1), key(2));
    }

    @Test
    void aWatcherOfAnotherEpochOrOfForgottenEventsGetsASnapshot() {
        Watch other = watch(EPOCH + 1, 0);
        other.next();
        assertThat(other.next().hasSnapshot()).isTrue();

        events.stored(keys(0, 100)); // the ring remembers 64 keys
        Watch late = watch(EPOCH, 1);
        late.next();
        assertThat(late.next().hasSnapshot()).isTrue();
    }

    @Test
    void everyHeartbeatAndEventCarriesTheLoadOfItsMoment() {
        Watch watch = watch(0, 0);
        watch.next();
        watch.next();
        queued.set(17);
        scheduler.advance(BEAT);
        NodeEvent beat = watch.next();
        assertThat(beat.hasHeartbeat()).isTrue();
        assertThat(beat.getLoad().getQueuedPrefillTokens()).isEqualTo(17);
        queued.set(18);
        events.stored(keys(0, 1));
        assertThat(watch.next().getLoad().getQueuedPrefillTokens()).isEqualTo(18);
    }

    @Test
    void drainingIsToldAtOnceAndInLaterHellos() {
        Watch watch = watch(0, 0);
        watch.next();
        watch.next();
        events.markDraining();
        assertThat(watch.next().getHeartbeat().getDraining()).isTrue();
        assertThat(watch(0, 0).next().getHello().getDraining()).isTrue();
    }

    @Test
    void closingEndsEveryStreamWithUnavailable() throws Exception {
        Watch watch = watch(0, 0);
        watch.next();
        events.close();
        assertThat(watch.status().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    }

    @Test
    void oneWatcherTooManyIsRefusedAndOneThatLeftMakesRoom() throws Exception {
        List<Watch> all = List.of(watch(0, 0), watch(0, 0), watch(0, 0));
        all.forEach(Watch::next);
        Watch fourth = watch(0, 0);
        assertThat(fourth.status().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        all.getFirst().call.cancel("enough", null);
        // The server hears of the cancellation a little later; a refused watcher simply tries again.
        for (Watch again = watch(0, 0); !again.greeted(); again = watch(0, 0)) {
            assertThat(again.status().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        }
    }

    @Test
    void aWatcherThatReadsTooSlowlyIsCutAndOthersAreNotHeldUp() throws Exception {
        stop();
        start(new NodeEvents.Options(4096, 512, BEAT, 3, 2));
        Watch slow = new Watch(0, 0, false);
        Watch quick = watch(0, 0);
        quick.next();
        quick.next();
        // 5 MB: more than HTTP/2's window and the ring hold.
        for (int i = 0; i < 500; i++) {
            events.stored(keys(i * 512L, i * 512L + 512));
            assertThat(quick.next().hasStored()).isTrue();
        }
        slow.call.request(1_000_000);
        assertThat(slow.status().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(slow.status().getDescription()).contains("reads too slowly");
    }

    @Test
    void aWatcherThatStopsReadingIsCutAfterTenBeats() throws Exception {
        stop();
        start(new NodeEvents.Options(1 << 20, 512, BEAT, 3, 2));
        Watch stuck = new Watch(0, 0, false);
        Watch lively = watch(0, 0);
        lively.next();
        lively.next();
        for (int i = 0; i < 500; i++) {
            events.stored(keys(i * 512L, i * 512L + 512));
            assertThat(lively.next().hasStored()).isTrue();
        }
        for (int i = 0; i < 10; i++) {
            scheduler.advance(BEAT);
            assertThat(lively.next().hasHeartbeat()).isTrue();
        }
        stuck.call.request(1_000_000);
        assertThat(stuck.status().getDescription()).contains("read nothing for PT10S");
    }

    @Test
    void watchersThatComeAndGoAtRandomAlwaysEndWithTheNodesOwnView() {
        Random random = new Random(42);
        Set<BlockKey> truth = new LinkedHashSet<>();
        List<BlockKey> view = new ArrayList<>();
        long sequence = 0;
        long epoch = 0;
        for (int round = 0; round < 30; round++) {
            Watch watch = watch(epoch, sequence);
            NodeEvent hello = watch.next();
            boolean reset = hello.getEpoch() != epoch || hello.getSequence() != sequence;
            epoch = hello.getEpoch();
            if (reset) {
                view.clear();
                NodeEvent part;
                do {
                    part = watch.next();
                    view.addAll(blocks(part));
                } while (!part.getSnapshot().getLast());
                sequence = part.getSequence();
            }
            int changes = random.nextInt(8);
            for (int i = 0; i < changes; i++) {
                change(random, truth);
            }
            scheduler.advance(BEAT);
            for (NodeEvent event = watch.next(); !event.hasHeartbeat(); event = watch.next()) {
                assertThat(event.getSequence()).isEqualTo(sequence + 1);
                sequence = event.getSequence();
                view.addAll(blocks(event));
                event.getRemoved().getBlocksList().forEach(ref -> view.remove(Fingerprints.fromProto(ref)));
            }
            assertThat(view).containsExactlyInAnyOrderElementsOf(truth);
            watch.call.cancel("round over", null);
            int missed = random.nextInt(40);
            for (int i = 0; i < missed; i++) {
                change(random, truth);
            }
        }
    }

    private void change(Random random, Set<BlockKey> truth) {
        long from = random.nextLong(200);
        List<BlockKey> blocks = keys(from, from + 1 + random.nextInt(9));
        if (random.nextInt(3) == 0) {
            List<BlockKey> present = blocks.stream().filter(truth::contains).toList();
            truth.removeAll(present);
            events.removed(present);
        } else {
            List<BlockKey> absent =
                    blocks.stream().filter(key -> !truth.contains(key)).toList();
            truth.addAll(absent);
            events.stored(absent);
        }
    }

    private Watch watch(long epoch, long lastSequence) {
        return new Watch(epoch, lastSequence, true);
    }

    private static List<BlockKey> blocks(NodeEvent... events) {
        return List.of(events).stream()
                .flatMap(event -> (event.hasSnapshot()
                                ? event.getSnapshot().getBlocksList()
                                : event.getStored().getBlocksList())
                        .stream())
                .map(Fingerprints::fromProto)
                .toList();
    }

    private static BlockKey key(long n) {
        return new BlockKey(n, ~n);
    }

    private static List<BlockKey> keys(long from, long to) {
        return LongStream.range(from, to).mapToObj(NodeEventsTest::key).toList();
    }

    /** A watcher that takes events one by one, or none until told. */
    private final class Watch extends ClientCall.Listener<NodeEvent> {
        private final BlockingQueue<NodeEvent> received = new LinkedBlockingQueue<>();
        private final CompletableFuture<Status> closed = new CompletableFuture<>();
        private final ClientCall<WatchRequest, NodeEvent> call;

        Watch(long epoch, long lastSequence, boolean reading) {
            call = channels.control("127.0.0.1:" + server.port(), PeerRole.DECODE)
                    .newCall(NodeGrpc.getWatchMethod(), CallOptions.DEFAULT);
            call.start(this, new Metadata());
            call.sendMessage(WatchRequest.newBuilder()
                    .setEpoch(epoch)
                    .setLastSequence(lastSequence)
                    .build());
            call.halfClose();
            call.request(reading ? Integer.MAX_VALUE : 1);
            if (!reading) {
                assertThat(next().hasHello()).isTrue();
            }
        }

        NodeEvent next() {
            try {
                NodeEvent event = received.poll(20, TimeUnit.SECONDS);
                assertThat(event)
                        .as("an event within 20 s; stream status %s", closed.getNow(Status.OK))
                        .isNotNull();
                return event;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        /** Waits until the stream has said hello or ended. */
        boolean greeted() throws InterruptedException {
            while (true) {
                NodeEvent event = received.poll(10, TimeUnit.MILLISECONDS);
                if (event != null) {
                    return true;
                }
                if (closed.isDone() && received.isEmpty()) {
                    return false;
                }
            }
        }

        Status status() throws Exception {
            return closed.get(20, TimeUnit.SECONDS);
        }

        @Override
        public void onMessage(NodeEvent event) {
            received.add(event);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            closed.complete(status);
        }
    }
}

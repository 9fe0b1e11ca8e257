package io.baton.serving;

import io.baton.kv.BlockKey;
import io.baton.proto.v1.BlockRef;
import io.baton.proto.v1.BlocksRemoved;
import io.baton.proto.v1.BlocksStored;
import io.baton.proto.v1.Heartbeat;
import io.baton.proto.v1.NodeEvent;
import io.baton.proto.v1.SnapshotPart;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.function.LongFunction;

/**
 * One watcher's stream and how far it has read. Confined to the events thread, except for the two callbacks, which only
 * enqueue.
 */
final class NodeWatch {

    private enum Phase {
        WAITING_FOR_SNAPSHOT,
        SENDING_SNAPSHOT,
        FOLLOWING,
        CUT
    }

    // A stream that takes nothing for this long is dead or hopelessly slow; 10 missed beats is when peers give up on us
    // too.
    private static final int MISSED_BEATS = 10;

    private final ServerCallStreamObserver<NodeEvent> events;
    private Phase phase = Phase.FOLLOWING;
    private List<BlockKey> snapshot = List.of();
    private int snapshotSent;
    private long snapshotSequence;
    private long cursor; // last delta sent, or covered by the snapshot
    private int missedBeats;

    NodeWatch(ServerCallStreamObserver<NodeEvent> events) {
        this.events = events;
    }

    void onReady(Runnable callback) {
        events.setOnReadyHandler(callback);
    }

    void onGone(Runnable callback) {
        events.setOnCancelHandler(callback);
    }

    void begin(long cursor, boolean needsSnapshot) {
        this.cursor = cursor;
        this.phase = needsSnapshot ? Phase.WAITING_FOR_SNAPSHOT : Phase.FOLLOWING;
    }

    void startSnapshot(List<BlockKey> blocks, long sequence) {
        phase = Phase.SENDING_SNAPSHOT;
        snapshot = blocks;
        snapshotSent = 0;
        snapshotSequence = sequence;
        cursor = sequence;
    }

    boolean isWaitingForSnapshot() {
        return phase == Phase.WAITING_FOR_SNAPSHOT;
    }

    boolean isSendingSnapshot() {
        return phase == Phase.SENDING_SNAPSHOT;
    }

    boolean isCut() {
        return phase == Phase.CUT;
    }

    void send(NodeEvent event) {
        if (!events.isCancelled()) {
            events.onNext(event);
        }
    }

    void cut(Status status) {
        if (phase != Phase.CUT && !events.isCancelled()) {
            events.onError(status.asRuntimeException());
        }
        phase = Phase.CUT;
        snapshot = List.of();
    }

    /** Sends what the stream will take: the rest of the snapshot, then deltas from the ring. */
    void pump(DeltaRing ring, int blocksPerEvent, LongFunction<NodeEvent.Builder> header) {
        while (phase == Phase.SENDING_SNAPSHOT && events.isReady()) {
            int end = Math.min(snapshot.size(), snapshotSent + blocksPerEvent);
            SnapshotPart.Builder part = SnapshotPart.newBuilder().setLast(end == snapshot.size());
            snapshot.subList(snapshotSent, end).forEach(key -> part.addBlocks(Fingerprints.toProto(key)));
            send(header.apply(snapshotSequence).setSnapshot(part).build());
            snapshotSent = end;
            if (part.getLast()) {
                phase = Phase.FOLLOWING;
                snapshot = List.of();
            }
        }
        boolean behind = phase == Phase.FOLLOWING || phase == Phase.SENDING_SNAPSHOT;
        if (behind && !ring.remembers(ring.epoch(), cursor)) {
            cut(Status.RESOURCE_EXHAUSTED.withDescription(
                    "the watcher reads too slowly: events after %d are no longer remembered; watch again for a snapshot"
                            .formatted(cursor)));
            return;
        }
        if (phase != Phase.FOLLOWING || cursor == ring.lastSequence()) {
            return;
        }
        for (DeltaRing.Delta delta : ring.after(cursor)) {
            if (!events.isReady()) {
                return;
            }
            send(withDelta(header.apply(delta.sequence()), delta));
            cursor = delta.sequence();
        }
    }

    private static NodeEvent withDelta(NodeEvent.Builder event, DeltaRing.Delta delta) {
        List<BlockRef> refs = delta.blocks().stream().map(Fingerprints::toProto).toList();
        return switch (delta.kind()) {
            case STORED ->
                event.setStored(BlocksStored.newBuilder().addAllBlocks(refs)).build();
            case REMOVED ->
                event.setRemoved(BlocksRemoved.newBuilder().addAllBlocks(refs)).build();
        };
    }

    /** A heartbeat, once everything before it is sent; a stream that takes none for too long is cut. */
    void beat(long lastSequence, boolean draining, Duration period, LongFunction<NodeEvent.Builder> header) {
        if (phase == Phase.CUT) {
            return;
        }
        if (!events.isReady()) {
            if (++missedBeats >= MISSED_BEATS) {
                cut(Status.RESOURCE_EXHAUSTED.withDescription(
                        "the watcher read nothing for " + period.multipliedBy(MISSED_BEATS)));
            }
            return;
        }
        missedBeats = 0;
        // While waiting for a snapshot there is nothing to be behind of.
        if (phase == Phase.WAITING_FOR_SNAPSHOT || cursor == lastSequence) {
            send(header.apply(cursor)
                    .setHeartbeat(Heartbeat.newBuilder().setDraining(draining))
                    .build());
        }
    }
}

package io.baton.gateway;

import io.baton.kv.BlockKey;
import io.baton.kv.SequenceFingerprint;
import io.baton.proto.v1.NodeHello;
import io.baton.proto.v1.Role;
import io.baton.routing.BlockKeys;
import io.baton.routing.NodeChange;
import io.baton.routing.NodeLoad;
import io.baton.routing.NodeRole;
import io.baton.serving.Fingerprints;
import io.baton.serving.NodeUpdate;
import io.baton.serving.NodeWatcher;
import io.baton.serving.PeerRole;
import io.baton.serving.Statuses;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One node this gateway watches, and its event stream in routing's terms. Confined to the cluster thread. A watcher
 * passes events on in order and without gaps but not their numbers, so they are numbered here.
 */
final class Member {

    final String address;
    final PeerRole role;
    final boolean given; // by address; DNS has no say

    @Nullable
    NodeWatcher watcher;

    int watch; // number of the current watcher; what an earlier one still says is void
    boolean connected;
    boolean omitted; // DNS does not name it any more
    String lastTrouble = "not reached yet";
    private long epoch;
    private long sequence;

    Member(String address, PeerRole role, boolean given) {
        this.address = address;
        this.role = role;
        this.given = given;
    }

    /**
     * The changes an update means, in order.
     *
     * @throws IllegalArgumentException when the node says of itself what cannot be
     */
    List<NodeChange> changes(NodeUpdate update) {
        return switch (update) {
            case NodeUpdate.Connected(NodeHello hello, long newEpoch, boolean reset, var load) -> {
                connected = true;
                lastTrouble = "";
                epoch = newEpoch;
                yield List.of(hello(hello), load(load));
            }
            case NodeUpdate.Snapshot(List<BlockKey> blocks, var load) -> {
                sequence++;
                yield List.of(
                        new NodeChange.Snapshot(address, epoch, sequence, BlockKeys.ofKeys(blocks), true), load(load));
            }
            case NodeUpdate.Stored(List<BlockKey> blocks, var load) -> {
                sequence++;
                yield List.of(new NodeChange.Stored(address, epoch, sequence, BlockKeys.ofKeys(blocks)), load(load));
            }
            case NodeUpdate.Removed(List<BlockKey> blocks, var load) -> {
                sequence++;
                yield List.of(new NodeChange.Removed(address, epoch, sequence, BlockKeys.ofKeys(blocks)), load(load));
            }
            case NodeUpdate.Beat(boolean draining, var load) ->
                List.of(new NodeChange.Heartbeat(address, epoch, sequence, draining), load(load));
            case NodeUpdate.Lost(var status) -> {
                connected = false;
                lastTrouble = Statuses.describe(status);
                yield List.of(new NodeChange.Lost(address));
            }
        };
    }

    private NodeChange hello(NodeHello hello) {
        SequenceFingerprint fingerprint = Fingerprints.fromProto(hello.getFingerprint());
        return new NodeChange.Hello(
                address,
                epoch,
                sequence,
                hello.getInstanceId(),
                roles(hello.getRolesList()),
                hello.getModel(),
                fingerprint,
                hello.getLabelsMap(),
                hello.getBlockCapacity(),
                hello.getDraining());
    }

    /** Roles that this version does not know are none of its business. */
    private static Set<NodeRole> roles(List<Role> roles) {
        Set<NodeRole> known = EnumSet.noneOf(NodeRole.class);
        for (Role role : roles) {
            switch (role) {
                case ROLE_PREFILL -> known.add(NodeRole.PREFILL);
                case ROLE_DECODE -> known.add(NodeRole.DECODE);
                case ROLE_GATEWAY -> known.add(NodeRole.GATEWAY);
                case ROLE_UNSPECIFIED, UNRECOGNIZED -> {}
            }
        }
        return known;
    }

    private NodeChange load(io.baton.proto.v1.NodeLoad load) {
        return new NodeChange.Load(
                address,
                new NodeLoad(
                        load.getQueuedPrefillTokens(),
                        load.getRunningSequences(),
                        load.getWaitingSequences(),
                        load.getFreeBlocks(),
                        load.getCachedBlocks(),
                        load.getUsedBlocks(),
                        load.getPrefillTokensPerSecond(),
                        load.getDecodeStepMicros(),
                        load.getReceiveBytesPerSecond()));
    }
}

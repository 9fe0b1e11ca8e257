package io.baton.routing;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Builds the cluster's picture from the nodes' event streams. Confined to the one thread that feeds it; the
 * {@link ClusterView}s it hands out are for any thread.
 *
 * <p>A node's blocks live under a slot of the block index. A snapshot is built under a new slot while the old one stays
 * visible, then the two change places in one step; a slot that is no longer visible is swept a little with every event
 * and used again when it is empty, least recently emptied first.
 */
public final class ClusterIndex {

    /** What became of a change. */
    public enum Applied {
        APPLIED,
        /** Already known. */
        DUPLICATE,
        /**
         * Does not follow on what is known: watch the node again from the beginning. Said once until a snapshot begins.
         */
        NEEDS_RESYNC,
        /** Useless until the snapshot that was asked for is here. */
        AWAITING_SNAPSHOT,
        /** The index knows as many nodes as it may. */
        REFUSED
    }

    private final InstantSource clock;
    private final Liveness liveness;
    private final IndexLimits limits;
    private final BlockIndex blocks;
    private final Map<String, Node> nodes = new LinkedHashMap<>();
    private final BlockSlots slots;
    private @Nullable ClusterView view = null;

    private static final class Node {
        NodeChange.@Nullable Hello hello;

        @Nullable
        PoolId pool;

        NodeLoad load = NodeLoad.UNKNOWN;
        long heardMillis;
        long loadMillis;
        boolean connected;
        boolean draining;
        boolean based; // a snapshot is installed and every change since was applied
        boolean resyncSaid;
        long sequence;
        int slot = BlockSlots.NONE;
        int held;
        int buildingSlot = BlockSlots.NONE;
        int buildingHeld;
        long buildingSequence;
    }

    public ClusterIndex(InstantSource clock, Liveness liveness, IndexLimits limits) {
        this.clock = clock;
        this.liveness = liveness;
        this.limits = limits;
        this.blocks = new BlockIndex(limits.maxBlocks());
        this.slots = new BlockSlots(blocks);
    }

    public Applied apply(NodeChange change) {
        slots.sweep();
        return switch (change) {
            case NodeChange.Hello hello -> hello(hello);
            case NodeChange.Left left -> left(left.node());
            default -> known(change);
        };
    }

    private Applied known(NodeChange change) {
        Node node = nodes.get(change.node());
        if (node == null) {
            return Applied.DUPLICATE; // never said hello, or has left
        }
        view = null;
        if (change instanceof NodeChange.Lost) {
            node.connected = false;
            return Applied.APPLIED;
        }
        if (node.hello == null) {
            return needsResync(node); // was gone and speaks again on its old stream, as after SIGSTOP and SIGCONT
        }
        node.heardMillis = clock.millis();
        return switch (change) {
            case NodeChange.Load(String _, NodeLoad load) -> {
                node.load = load;
                node.loadMillis = node.heardMillis;
                yield Applied.APPLIED;
            }
            case NodeChange.Heartbeat beat -> heartbeat(node, beat);
            case NodeChange.Snapshot part -> snapshot(node, part);
            case NodeChange.Stored stored -> {
                Applied applied = follows(node, stored.epoch(), stored.sequence());
                if (applied == Applied.APPLIED) {
                    node.held += blocks.add(node.slot, stored.blocks());
                }
                yield applied;
            }
            case NodeChange.Removed removed -> {
                Applied applied = follows(node, removed.epoch(), removed.sequence());
                if (applied == Applied.APPLIED) {
                    node.held -= blocks.remove(node.slot, removed.blocks());
                }
                yield applied;
            }
            case NodeChange.Hello _, NodeChange.Left _, NodeChange.Lost _ ->
                throw new IllegalStateException("handled before: " + change);
        };
    }

    private Applied hello(NodeChange.Hello hello) {
        Node node = nodes.get(hello.node());
        if (node == null) {
            if (nodes.size() >= limits.maxNodes()) {
                return Applied.REFUSED;
            }
            node = new Node();
            nodes.put(hello.node(), node);
        }
        if (node.hello == null || node.hello.epoch() != hello.epoch()) {
            forget(node);
            node.load = NodeLoad.UNKNOWN;
            node.slot = slots.take();
            node.sequence = hello.sequence();
        }
        dropBuilding(node);
        node.hello = hello;
        node.pool = PoolId.of(hello.model(), hello.fingerprint());
        node.draining = hello.draining();
        node.connected = true;
        node.resyncSaid = false;
        node.heardMillis = clock.millis();
        node.loadMillis = node.heardMillis;
        view = null;
        return Applied.APPLIED;
    }

    private Applied heartbeat(Node node, NodeChange.Heartbeat beat) {
        if (epochDiffers(node, beat.epoch())) {
            return needsResync(node);
        }
        node.draining = beat.draining();
        // A heartbeat repeats the number of the last change or has one of its own; a larger step hides a lost change.
        if (node.based && beat.sequence() > node.sequence + 1) {
            return needsResync(node);
        }
        if (node.based) {
            node.sequence = Math.max(node.sequence, beat.sequence());
        }
        return Applied.APPLIED;
    }

    private Applied snapshot(Node node, NodeChange.Snapshot part) {
        if (epochDiffers(node, part.epoch())) {
            return needsResync(node);
        }
        if (node.buildingSlot == BlockSlots.NONE || node.buildingSequence != part.sequence()) {
            dropBuilding(node);
            node.buildingSlot = slots.take();
            node.buildingSequence = part.sequence();
        }
        node.buildingHeld += blocks.add(node.buildingSlot, part.blocks());
        if (part.last()) {
            slots.giveUp(node.slot, node.held);
            node.slot = node.buildingSlot;
            node.held = node.buildingHeld;
            node.buildingSlot = BlockSlots.NONE;
            node.buildingHeld = 0;
            node.sequence = part.sequence();
            node.based = true;
            node.resyncSaid = false;
        }
        return Applied.APPLIED;
    }

    private Applied follows(Node node, long epoch, long sequence) {
        if (!epochDiffers(node, epoch) && node.based && sequence <= node.sequence) {
            return Applied.DUPLICATE;
        }
        if (epochDiffers(node, epoch) || !node.based || sequence != node.sequence + 1) {
            return needsResync(node);
        }
        node.sequence = sequence;
        return Applied.APPLIED;
    }

    private static boolean epochDiffers(Node node, long epoch) {
        return node.hello == null || node.hello.epoch() != epoch;
    }

    /** What was known stays visible until the new snapshot replaces it: a little stale is better than nothing. */
    private static Applied needsResync(Node node) {
        node.based = false;
        if (node.resyncSaid) {
            return Applied.AWAITING_SNAPSHOT;
        }
        node.resyncSaid = true;
        return Applied.NEEDS_RESYNC;
    }

    private Applied left(String address) {
        Node node = nodes.remove(address);
        if (node == null) {
            return Applied.DUPLICATE;
        }
        forget(node);
        view = null;
        return Applied.APPLIED;
    }

    /** Forgets nodes that have been silent for too long. To be called now and then, once a second say. */
    public void expire() {
        long now = clock.millis();
        for (Node node : nodes.values()) {
            if (node.hello != null && liveness.state(now - node.heardMillis) == NodeState.GONE) {
                forget(node);
                node.hello = null;
                node.resyncSaid = false;
                view = null;
            }
        }
        slots.sweep();
    }

    /** The cluster as it is known now. The same view as before when nothing changed but blocks. */
    public ClusterView view() {
        ClusterView current = view;
        if (current == null) {
            current = build();
            view = current;
        }
        return current;
    }

    /** Whether a node's blocks are known: a snapshot is installed and no change since was missed. */
    public boolean knowsBlocksOf(String address) {
        Node node = nodes.get(address);
        return node != null && node.based;
    }

    /** Blocks known over all nodes. */
    public int blocksKnown() {
        return blocks.size();
    }

    /** Blocks that were not indexed because the index was full. */
    public long blocksDropped() {
        return blocks.dropped();
    }

    private ClusterView build() {
        List<NodeView> views = new ArrayList<>(nodes.size());
        Set<String> instances = new HashSet<>();
        Map<PoolId, List<NodeView>> members = new LinkedHashMap<>();
        nodes.forEach((address, node) -> {
            // One process reachable at two addresses is one node.
            NodeChange.Hello hello = node.hello;
            if (hello != null && instances.add(hello.instanceId())) {
                NodeView nodeView = viewOf(address, node, hello);
                views.add(nodeView);
                members.computeIfAbsent(nodeView.pool(), _ -> new ArrayList<>()).add(nodeView);
            }
        });
        Map<PoolId, Pool> pools = new HashMap<>();
        members.forEach((id, list) -> pools.put(id, poolOf(id, list)));
        return new ClusterView(views, pools, blocks);
    }

    private NodeView viewOf(String address, Node node, NodeChange.Hello hello) {
        return new NodeView(
                address,
                hello.instanceId(),
                hello.roles(),
                node.pool == null ? PoolId.of(hello.model(), hello.fingerprint()) : node.pool,
                hello.fingerprint(),
                hello.labels(),
                hello.blockCapacity(),
                node.draining,
                node.connected,
                node.load,
                node.heardMillis,
                node.loadMillis,
                liveness,
                node.slot);
    }

    private static Pool poolOf(PoolId id, List<NodeView> members) {
        return new Pool(
                id,
                members.getFirst().fingerprint(),
                members.stream().filter(node -> node.is(NodeRole.PREFILL)).toList(),
                members.stream().filter(node -> node.is(NodeRole.DECODE)).toList());
    }

    private void forget(Node node) {
        dropBuilding(node);
        slots.giveUp(node.slot, node.held);
        node.slot = BlockSlots.NONE;
        node.held = 0;
        node.based = false;
    }

    private void dropBuilding(Node node) {
        slots.giveUp(node.buildingSlot, node.buildingHeld);
        node.buildingSlot = BlockSlots.NONE;
        node.buildingHeld = 0;
    }
}

package io.baton.serving;

import io.baton.kv.BlockKey;
import io.baton.proto.v1.NodeHello;
import io.baton.proto.v1.NodeLoad;
import io.grpc.Status;
import java.util.List;

/** What a {@link NodeWatcher} learned about its node, in order and without gaps. */
public sealed interface NodeUpdate {

    /**
     * The stream is up.
     *
     * @param reset everything known about the node's cache is void (a {@link Snapshot} follows); false when events
     *     simply go on
     */
    record Connected(NodeHello hello, long epoch, boolean reset, NodeLoad load) implements NodeUpdate {}

    /** Every block the node has cached; replaces what was known. */
    record Snapshot(List<BlockKey> blocks, NodeLoad load) implements NodeUpdate {}

    record Stored(List<BlockKey> blocks, NodeLoad load) implements NodeUpdate {}

    record Removed(List<BlockKey> blocks, NodeLoad load) implements NodeUpdate {}

    /** The node lives. */
    record Beat(boolean draining, NodeLoad load) implements NodeUpdate {}

    /** The stream broke; what is known stays, and the watcher tries again by itself. */
    record Lost(Status status) implements NodeUpdate {}
}

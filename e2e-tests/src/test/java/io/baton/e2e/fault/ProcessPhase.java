package io.baton.e2e.fault;

import io.baton.e2e.fault.FaultProxy.Direction;
import java.time.Duration;
import java.util.List;

/**
 * Where a request to a {@link ProcessCluster} is when something happens to a process. Each phase is held, or long
 * enough, to be seen in metrics, at a proxy or by the client before it is over.
 */
enum ProcessPhase {
    /** In a prefill node's queue: the pool is taken by others. */
    QUEUED("waits in a prefill node's queue") {
        @Override
        List<PoolHog> hold(ProcessCluster cluster) {
            List<PoolHog> hogs = cluster.prefills().stream()
                    .map(place -> PoolHog.on(place, ProcessFaultTest.HOG))
                    .toList();
            hogs.forEach(hog -> hog.awaitComputed(COMPUTED));
            return hogs;
        }

        @Override
        List<ClusterPlace> prefillNodes(ProcessCluster cluster, Witness witness) {
            return cluster.prefillsWhere(now -> now.waiting() > 0);
        }
    },

    /** A prefill node has computed some of the prompt. */
    PREFILLING("is being prefilled") {
        @Override
        List<ClusterPlace> prefillNodes(ProcessCluster cluster, Witness witness) {
            return cluster.prefillsWhere(
                    now -> now.waiting() > 0 && now.prefillTokens() < ProcessFaultTest.PROMPT.size());
        }
    },

    /** Some KV has arrived, the rest is held on its way. */
    TRANSFERRING("waits for the rest of its KV") {
        @Override
        List<PoolHog> hold(ProcessCluster cluster) {
            List<FaultProxy> ways =
                    cluster.prefills().stream().map(ClusterPlace::proxy).toList();
            ways.forEach(
                    way -> way.armOneConnection(Direction.FROM_SERVER, ProcessFaultTest.SOME_BYTES, new Fault.Stall()));
            // One is held; whoever takes over is not.
            ways.getFirst().whenStruck(Direction.FROM_SERVER, ways.getLast()::disarm);
            ways.getLast().whenStruck(Direction.FROM_SERVER, ways.getFirst()::disarm);
            return List.of();
        }

        @Override
        List<ClusterPlace> prefillNodes(ProcessCluster cluster, Witness witness) {
            return cluster.prefills().stream()
                    .filter(place -> place.proxy().struck(Direction.FROM_SERVER).getCount() == 0)
                    .toList();
        }
    },

    /** The client has some tokens; no prefill node has anything to do with the request any more. */
    DECODING("is being decoded") {
        @Override
        List<ClusterPlace> prefillNodes(ProcessCluster cluster, Witness witness) {
            boolean reached = witness.tokens.size() >= ProcessFaultTest.SOME_TOKENS;
            return reached ? List.of(cluster.prefills().getFirst()) : List.of();
        }
    };

    private static final Duration COMPUTED = Duration.ofSeconds(20);

    private final String words;

    ProcessPhase(String words) {
        this.words = words;
    }

    /** What docs/operations.md calls it. */
    String inWords() {
        return words;
    }

    /** Makes the phase last. What is returned is closed once the signal was sent. */
    List<PoolHog> hold(ProcessCluster cluster) {
        return List.of();
    }

    /** The prefill nodes that a request which is in this phase concerns; none when it is not, or not yet. */
    abstract List<ClusterPlace> prefillNodes(ProcessCluster cluster, Witness witness);
}

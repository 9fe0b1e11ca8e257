package io.baton.e2e.fault;

import io.baton.client.Fallback;
import io.baton.client.GenerateSpec;
import io.baton.client.PrefillMode;
import io.baton.e2e.fault.FaultProxy.Direction;
import io.baton.engine.EngineLoad;
import io.baton.testing.TinyModel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Where a request can be when it ends early. Each phase is held long enough to be hit. */
enum Phase {
    /** The decode node's pool is taken by others. */
    WAITING_FOR_ADMISSION {
        @Override
        AutoCloseable hold(ClusterUnderTest cluster) throws InterruptedException {
            Witness hog = Witness.create();
            Runnable letGo = cluster.client()
                    .generate(
                            GenerateSpec.tokens(newPrompt(8))
                                    .maxTokens(30_000)
                                    .ignoreEos(true)
                                    .prefillMode(PrefillMode.LOCAL)
                                    .build(),
                            hog);
            hog.awaitTokens();
            return letGo::run;
        }

        @Override
        GenerateSpec.Builder request() {
            // It is the blocks of its output that do not fit: with a prompt as long a slow machine's gateway would
            // rightly refuse the deadline.
            return GenerateSpec.tokens(newPrompt(600)).maxTokens(5_400).prefillMode(PrefillMode.LOCAL);
        }

        @Override
        boolean reached(ClusterUnderTest cluster, Witness witness) {
            EngineLoad load = cluster.decode(0).engine().load();
            return load.runningSequences() == 1 && load.waitingSequences() == 1;
        }
    },

    /** The decode node computes the prompt itself. */
    PREFILLING_HERE {
        @Override
        GenerateSpec.Builder request() {
            return GenerateSpec.tokens(newPrompt(24_000)).maxTokens(8).prefillMode(PrefillMode.LOCAL);
        }

        @Override
        boolean reached(ClusterUnderTest cluster, Witness witness) {
            return cluster.decode(0).engine().load().queuedPrefillTokens() > 0;
        }
    },

    /** A prefill node computes it. */
    PREFILLING_ELSEWHERE {
        @Override
        GenerateSpec.Builder request() {
            return GenerateSpec.tokens(newPrompt(24_000)).maxTokens(8).prefillMode(PrefillMode.REMOTE);
        }

        @Override
        boolean reached(ClusterUnderTest cluster, Witness witness) {
            return List.of(cluster.prefill(0), cluster.prefill(1)).stream()
                    .anyMatch(node -> node.engine().load().queuedPrefillTokens() > 0);
        }
    },

    /** Computed, and on its way: the connection stopped carrying bytes. */
    TRANSFERRING {
        @Override
        AutoCloseable hold(ClusterUnderTest cluster) {
            List<FaultProxy> proxies = List.of(cluster.prefillProxy(0), cluster.prefillProxy(1));
            proxies.forEach(proxy -> proxy.arm(Direction.FROM_SERVER, 100_000, new Fault.Stall()));
            return () -> proxies.forEach(FaultProxy::heal);
        }

        @Override
        GenerateSpec.Builder request() {
            return GenerateSpec.tokens(newPrompt(600)).maxTokens(8).prefillMode(PrefillMode.REMOTE);
        }

        @Override
        boolean reached(ClusterUnderTest cluster, Witness witness) {
            return List.of(cluster.prefillProxy(0), cluster.prefillProxy(1)).stream()
                    .anyMatch(proxy -> proxy.struck(Direction.FROM_SERVER).getCount() == 0);
        }
    },

    /** Tokens are flowing. */
    DECODING {
        @Override
        GenerateSpec.Builder request() {
            return GenerateSpec.tokens(newPrompt(8)).maxTokens(30_000).ignoreEos(true);
        }

        @Override
        boolean reached(ClusterUnderTest cluster, Witness witness) {
            return !witness.tokens.isEmpty();
        }
    };

    private static final AtomicLong PROMPTS = new AtomicLong();

    /** Makes the phase last; what is returned lets go. */
    AutoCloseable hold(ClusterUnderTest cluster) throws InterruptedException {
        return () -> {};
    }

    abstract GenerateSpec.Builder request();

    abstract boolean reached(ClusterUnderTest cluster, Witness witness);

    /** Never seen before, so that no block of it is cached. */
    private static List<Integer> newPrompt(int tokens) {
        return TinyModel.prompt(tokens, PROMPTS.incrementAndGet());
    }

    /** A request that stays in this phase longer than its deadline, and fails rather than going another way. */
    GenerateSpec spec(Duration deadline) {
        return request().fallback(Fallback.FAIL).deadline(deadline).build();
    }
}

package io.baton.kv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random operations on small pools, each step compared with {@link NaiveCache} and audited. */
class KvCacheRandomOperationsTest {

    private static final int BLOCK_TOKENS = 16;
    private static final int MAX_BLOCKS = 8;
    private static final int STEPS = 4000;
    private static final SequenceRoot ROOT = SequenceRoot.of(new byte[32], "", new byte[0], SequenceRoot.LOSSLESS);

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void countsEventsAndTablesAreThoseOfTheNaiveCache(long seed) {
        Run run = new Run(seed);
        for (int step = 0; step < STEPS; step++) {
            run.step();
            run.compare("seed %d, step %d".formatted(seed, step));
        }
        assertThat(run.refused).as("the pool was small enough to refuse").isPositive();
        assertThat(run.reused)
                .as("blocks that appeared after an admission were reused")
                .isPositive();
        run.closeAll();
    }

    private record Pair(BlockLease lease, NaiveCache.Lease naive, List<BlockHash> hashes) {}

    private static final class Run {
        private final Random random;
        private final RecordingEvents events = new RecordingEvents();
        private final KvCache cache;
        private final NaiveCache naive;
        private final List<Pair> open = new ArrayList<>();
        private int refused;
        private int reused;

        Run(long seed) {
            random = new Random(seed);
            int capacity = 1 + random.nextInt(24);
            cache = KvCache.ofCapacity(capacity, BLOCK_TOKENS, events);
            naive = new NaiveCache(capacity);
        }

        void step() {
            if (open.isEmpty() || random.nextInt(9) < 2) {
                admit();
                return;
            }
            Pair pair = open.get(random.nextInt(open.size()));
            switch (random.nextInt(8)) {
                case 0, 1 -> extend(pair);
                case 2, 3, 4 -> publish(pair);
                case 5 -> fork(pair);
                case 6 -> reuse(pair);
                default -> close(pair);
            }
        }

        void admit() {
            List<BlockHash> hashes = branchingPrompt(random);
            int total = 1 + random.nextInt(MAX_BLOCKS);
            int forks = random.nextInt(3) == 0 ? random.nextInt(6) : 0;
            List<BlockHash> reusable = hashes.subList(0, random.nextInt(hashes.size() + 1));
            Optional<BlockLease> lease = cache.tryAdmit("a lease", reusable, total, forks);
            Optional<NaiveCache.Lease> expected = naive.tryAdmit(reusable, total, forks);
            assertThat(lease.isPresent()).isEqualTo(expected.isPresent());
            refused += lease.isEmpty() ? 1 : 0;
            lease.ifPresent(given -> open.add(new Pair(given, expected.orElseThrow(), hashes)));
        }

        void extend(Pair pair) {
            int count = random.nextInt(pair.lease.totalBlocks() + 1);
            pair.lease.extendTo(count);
            naive.extendTo(pair.naive, count);
        }

        void publish(Pair pair) {
            int index = pair.lease.visibleBlocks();
            if (index < pair.lease.blocks()) {
                pair.lease.publish(index, pair.hashes.get(index));
                naive.publish(pair.naive, pair.hashes.get(index));
            }
        }

        void reuse(Pair pair) {
            List<BlockHash> reusable = pair.hashes.subList(0, random.nextInt(pair.hashes.size() + 1));
            int reused = pair.lease.reuse(reusable);
            assertThat(reused).isEqualTo(naive.reuse(pair.naive, reusable));
            this.reused += reused;
        }

        void fork(Pair pair) {
            int shared = random.nextInt(pair.lease.blocks() + 1);
            int total = Math.clamp(shared + random.nextInt(3), 1, MAX_BLOCKS);
            if (total - shared <= pair.naive.forkBlocks) {
                BlockLease fork = pair.lease.fork("a fork", shared, total);
                open.add(new Pair(fork, naive.fork(pair.naive, shared, total), pair.hashes));
            }
        }

        void close(Pair pair) {
            open.remove(pair);
            pair.lease.close();
            naive.close(pair.naive);
        }

        void compare(String when) {
            cache.checkInvariants();
            assertThat(cache.counts()).as(when).isEqualTo(naive.counts());
            assertThat(events.events).as(when).isEqualTo(naive.events);
            events.events.clear();
            naive.events.clear();
            for (Pair pair : open) {
                assertThat(pair.lease.visibleBlocks()).isEqualTo(pair.naive.visible.size());
                assertThat(pair.lease.blocks()).isEqualTo(pair.naive.table.size());
            }
            assertThat(events.believed).containsExactlyInAnyOrderElementsOf(cache.cachedKeys());
        }

        void closeAll() {
            open.forEach(pair -> pair.lease.close());
            cache.checkInvariants();
            assertThat(cache.counts().inUse()).isZero();
            assertThat(cache.counts().committed()).isZero();
            assertThat(cache.holders()).isEmpty();
        }
    }

    /** Two choices per block, so that prompts share prefixes often. */
    private static List<BlockHash> branchingPrompt(Random random) {
        BlockChain chain = new BlockChain(ROOT, BLOCK_TOKENS);
        for (int block = 0; block < MAX_BLOCKS; block++) {
            int choice = random.nextInt(2);
            for (int i = 0; i < BLOCK_TOKENS; i++) {
                chain.append(choice);
            }
        }
        return chain.hashes();
    }
}

package io.baton.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockIndexTest {

    @ParameterizedTest
    @ValueSource(ints = {5, 64, 130})
    void holdsExactlyWhatAPlainMapWouldHold(int slots) {
        Random random = new Random(7 + slots);
        BlockIndex index = new BlockIndex(10_000);
        Map<Integer, BitSet> model = new HashMap<>();
        for (int step = 0; step < 20_000; step++) {
            int slot = random.nextInt(slots);
            int block = random.nextInt(800);
            BlockKeys keys = TestingCluster.keys(block);
            BitSet holders = model.computeIfAbsent(block, _ -> new BitSet());
            if (random.nextInt(5) < 3) {
                assertThat(index.add(slot, keys)).isEqualTo(holders.get(slot) ? 0 : 1);
                holders.set(slot);
            } else {
                assertThat(index.remove(slot, keys)).isEqualTo(holders.get(slot) ? 1 : 0);
                holders.clear(slot);
            }
        }
        assertThat(index.size()).isEqualTo((int)
                model.values().stream().filter(set -> !set.isEmpty()).count());
        int[] bySlot = new int[slots];
        for (int probe = 0; probe < 2_000; probe++) {
            int[] prefix = random.ints(1 + random.nextInt(6), 0, 800).toArray();
            index.cachedPrefixes(TestingCluster.keys(prefix), PredictedBlocks.NONE, 0, bySlot);
            for (int slot = 0; slot < slots; slot++) {
                int expected = 0;
                while (expected < prefix.length
                        && model.getOrDefault(prefix[expected], new BitSet()).get(slot)) {
                    expected++;
                }
                assertThat(bySlot[slot]).isEqualTo(expected);
            }
        }
    }

    @Test
    void sweepingASlotLeavesEveryOtherSlotAsItWas() {
        BlockIndex index = new BlockIndex(10_000);
        index.add(0, TestingCluster.keys(TestingCluster.range(0, 3_000)));
        index.add(1, TestingCluster.keys(TestingCluster.range(1_000, 4_000)));
        int left = 3_000;
        int rounds = 0;
        while (left > 0) {
            left -= index.sweep(0, 512);
            assertThat(++rounds).isLessThan(100);
        }
        assertThat(index.size()).isEqualTo(3_000);
        int[] bySlot = new int[2];
        index.cachedPrefixes(TestingCluster.keys(TestingCluster.range(1_000, 4_000)), PredictedBlocks.NONE, 0, bySlot);
        assertThat(bySlot).containsExactly(0, 3_000);
    }

    @Test
    void neverRemembersMoreBlocksThanItMayAndCountsTheRest() {
        BlockIndex index = new BlockIndex(100);
        assertThat(index.add(0, TestingCluster.keys(TestingCluster.range(0, 150))))
                .isEqualTo(100);
        assertThat(index.size()).isEqualTo(100);
        assertThat(index.dropped()).isEqualTo(50);
        index.remove(0, TestingCluster.keys(TestingCluster.range(0, 10)));
        assertThat(index.add(0, TestingCluster.keys(200))).isEqualTo(1);
    }

    @Test
    void aReaderNeverSeesABlockTwiceOrHalfWhileTheWriterWrites() throws InterruptedException {
        BlockIndex index = new BlockIndex(100_000);
        BlockKeys constant = TestingCluster.keys(TestingCluster.range(0, 50));
        index.add(0, constant);
        AtomicBoolean done = new AtomicBoolean();
        Thread writer = Thread.ofPlatform().start(() -> {
            Random random = new Random(3);
            for (int i = 0; i < 30_000; i++) {
                int from = 100 + random.nextInt(2_000);
                index.add(1 + i % 3, TestingCluster.keys(TestingCluster.range(from, from + 8)));
                index.remove(1 + i % 3, TestingCluster.keys(TestingCluster.range(from, from + 8)));
            }
            done.set(true);
        });
        int[] bySlot = new int[4];
        while (!done.get()) {
            index.cachedPrefixes(constant, PredictedBlocks.NONE, 0, bySlot);
            assertThat(bySlot).containsExactly(50, 0, 0, 0);
        }
        writer.join();
    }
}

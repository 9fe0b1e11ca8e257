package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PairMergerTest {

    private final Random random = new Random(7);

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 23, 24, 25, 26, 100, 1000})
    void anyLengthMergesAsTheDefinitionSays(int length) {
        for (int round = 0; round < 50; round++) {
            MergeTable table = randomTable();
            PairMerger merger = new PairMerger(table);
            int[] symbols = random.ints(length, 0, 4).toArray();
            int[] expected = merged(symbols.clone(), table);
            int left = merger.merge(symbols, length);
            assertThat(Arrays.copyOf(symbols, left)).containsExactly(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 300})
    void aMergerCanBeUsedAgain(int length) {
        MergeTable table = randomTable();
        PairMerger merger = new PairMerger(table);
        for (int round = 0; round < 20; round++) {
            int[] symbols = random.ints(random.nextInt(length) + 1, 0, 4).toArray();
            int[] expected = merged(symbols.clone(), table);
            assertThat(Arrays.copyOf(symbols, merger.merge(symbols, symbols.length)))
                    .containsExactly(expected);
        }
    }

    /** Ranks collide on purpose: several pairs of one rank merge leftmost first. */
    private MergeTable randomTable() {
        MergeTable table = new MergeTable(64);
        for (int result = 4; result < 40; result++) {
            table.put(random.nextInt(result), random.nextInt(result), random.nextInt(30), result);
        }
        return table;
    }

    /** The definition: find the lowest rank, leftmost, merge, begin again. */
    private static int[] merged(int[] symbols, MergeTable table) {
        int[] current = symbols;
        while (true) {
            int best = MergeTable.NONE;
            int at = -1;
            for (int i = 0; i + 1 < current.length; i++) {
                if (table.rank(current[i], current[i + 1]) < best) {
                    best = table.rank(current[i], current[i + 1]);
                    at = i;
                }
            }
            if (at < 0) {
                return current;
            }
            int[] shorter = new int[current.length - 1];
            System.arraycopy(current, 0, shorter, 0, at);
            shorter[at] = table.merged(current[at], current[at + 1]);
            System.arraycopy(current, at + 2, shorter, at + 1, current.length - at - 2);
            current = shorter;
        }
    }
}

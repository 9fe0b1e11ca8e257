package io.baton.engine.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PhiloxTest {

    /** The known-answer vectors of the Random123 distribution for philox4x32, ten rounds. */
    @Test
    void reproducesTheReferenceVectors() {
        assertThat(hex(Philox.block(0, 0, 0, 0, 0, 0))).isEqualTo("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
        assertThat(hex(Philox.block(-1, -1, -1, -1, -1, -1))).isEqualTo("408f276d 41c83b0e a20bc7c6 6d5451fd");
        assertThat(hex(Philox.block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0)))
                .isEqualTo("d16cfe09 94fdcceb 5001e420 24126ea1");
    }

    @Test
    void uniformNumbersDependOnEveryArgument() {
        double base = Philox.uniform(1, 2, 3, 4);
        assertThat(base).isEqualTo(Philox.uniform(1, 2, 3, 4));
        assertThat(new double[] {
                    Philox.uniform(1L << 32, 2, 3, 4),
                    Philox.uniform(2, 2, 3, 4),
                    Philox.uniform(1, 3, 3, 4),
                    Philox.uniform(1, 2, 4, 4),
                    Philox.uniform(1, 2, 3, 5)
                })
                .doesNotContain(base)
                .doesNotHaveDuplicates();
    }

    @Test
    void uniformNumbersFillTheUnitIntervalEvenly() {
        int[] counts = new int[64];
        int draws = 64_000;
        for (int i = 0; i < draws; i++) {
            double u = Philox.uniform(7, 0, i, 0);
            assertThat(u).isBetween(0.0, Math.nextDown(1.0));
            counts[(int) (u * counts.length)]++;
        }
        double expected = (double) draws / counts.length;
        double chiSquare = Arrays.stream(counts)
                .mapToDouble(n -> (n - expected) * (n - expected) / expected)
                .sum();
        assertThat(chiSquare).as("99.9 % of 63 degrees of freedom").isLessThan(103.4);
    }

    private static String hex(int[] words) {
        return Arrays.stream(words).mapToObj(HexFormat.of()::toHexDigits).collect(Collectors.joining(" "));
    }
}

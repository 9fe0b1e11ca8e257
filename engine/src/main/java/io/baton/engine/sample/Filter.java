package io.baton.engine.sample;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Drops unlikely or untypical candidates. {@code p} is the probability among the candidates that are left. */
sealed interface Filter {

    void apply(Candidates candidates);

    /** Keeps the k most likely. Fan, Lewis, Dauphin, "Hierarchical neural story generation", ACL 2018. */
    record TopK(int k) implements Filter {
        @Override
        public void apply(Candidates candidates) {
            candidates.keepFirst(k);
        }
    }

    /**
     * Keeps the smallest set of most likely tokens with {@code sum(p) >= topP}. Holtzman et al., "The curious case of
     * neural text degeneration", ICLR 2020.
     */
    record TopP(double topP) implements Filter {
        @Override
        public void apply(Candidates candidates) {
            double enough = topP * candidates.total();
            double sum = 0;
            for (int rank = 0; rank < candidates.size(); rank++) {
                sum += candidates.weight(rank);
                if (sum >= enough) {
                    candidates.keepFirst(rank + 1);
                    return;
                }
            }
        }
    }

    /** Keeps {@code p >= minP * max(p)}. Nguyen et al., "Turning up the heat: min-p sampling", ICLR 2025. */
    record MinP(double minP) implements Filter {
        @Override
        public void apply(Candidates candidates) {
            double least = minP * candidates.weight(0);
            for (int rank = 1; rank < candidates.size(); rank++) {
                if (candidates.weight(rank) < least) {
                    candidates.keepFirst(rank);
                    return;
                }
            }
        }
    }

    /**
     * With the entropy {@code H = -sum(p log p)}: keeps the smallest set with {@code sum(p) >= typicalP} of those with
     * the smallest {@code |-log p - H|}, ties to the more likely. Meister et al., "Locally typical sampling", TACL
     * 2023.
     */
    record Typical(double typicalP) implements Filter {
        @Override
        public void apply(Candidates candidates) {
            int size = candidates.size();
            double[] surprise = new double[size];
            double entropy = 0;
            for (int rank = 0; rank < size; rank++) {
                double p = candidates.weight(rank) / candidates.total();
                surprise[rank] = -StrictMath.log(p);
                entropy += p == 0 ? 0 : p * surprise[rank]; // 0 log 0 is 0
            }
            double mean = entropy;
            int[] byTypicality = IntStream.range(0, size)
                    .boxed()
                    .sorted(Comparator.comparingDouble(rank -> StrictMath.abs(surprise[rank] - mean)))
                    .mapToInt(Integer::intValue)
                    .toArray();
            double enough = typicalP * candidates.total();
            double sum = 0;
            int kept = 0;
            while (kept < size && sum < enough) {
                sum += candidates.weight(byTypicality[kept++]);
            }
            int[] ranks = Arrays.copyOf(byTypicality, kept);
            Arrays.sort(ranks);
            candidates.keepOnly(ranks);
        }
    }
}

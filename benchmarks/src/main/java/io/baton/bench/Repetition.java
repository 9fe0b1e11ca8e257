package io.baton.bench;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * One run of what is measured.
 *
 * @param seconds it took
 * @param limit the least time the machine would have needed, by what it could do meanwhile; empty where that is not
 *     known
 */
record Repetition(double seconds, Optional<WorkBound.Limit> limit) {

    /** The least time over the time taken; 0 where no limit is known. */
    double fractionOfLimit() {
        return limit.map(least -> least.seconds() / seconds).orElse(0.0);
    }

    /** What binds; {@code unknown} where no limit is known. */
    String limitName() {
        return limit.map(WorkBound.Limit::name).orElse("unknown");
    }

    static double median(List<Repetition> repetitions, ToDoubleFunction<Repetition> figure) {
        double[] sorted = repetitions.stream().mapToDouble(figure).sorted().toArray();
        return (sorted[sorted.length / 2] + sorted[(sorted.length - 1) / 2]) / 2;
    }

    /** The one in the middle by its fraction. */
    static Repetition middle(List<Repetition> repetitions) {
        return repetitions.stream()
                .sorted(Comparator.comparingDouble(Repetition::fractionOfLimit))
                .skip(repetitions.size() / 2)
                .findFirst()
                .orElseThrow();
    }
}

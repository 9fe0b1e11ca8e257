package io.baton.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.ActivationMode;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.model.files.ModelFile;
import io.baton.model.files.TensorType;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NumericsBenchmarkTest {

    private static final int POSITIONS = 12;

    @Test
    void exactTypesAreNearDoublePrecisionAndCoarseOnesFarther() throws IOException {
        NumericsBenchmark.Result exact = run(ActivationMode.F32, KvType.F32);
        NumericsBenchmark.Result coarse = run(ActivationMode.Q8, KvType.Q8);
        assertThat(exact.positions()).isEqualTo(POSITIONS);
        assertThat(exact.meanDivergence()).isBetween(-1e-12, 1e-9);
        assertThat(exact.topAgreement()).isEqualTo(1);
        assertThat(exact.rootMeanSquare()).isLessThan(1e-4 * exact.logitDeviation());
        assertThat(coarse.meanDivergence()).isGreaterThan(10 * Math.abs(exact.meanDivergence()));
        assertThat(coarse.rootMeanSquare()).isBetween(exact.rootMeanSquare(), 0.1 * coarse.logitDeviation());
        assertThat(coarse.highestDivergence()).isGreaterThanOrEqualTo(coarse.meanDivergence());
    }

    private static NumericsBenchmark.Result run(ActivationMode activations, KvType kv) throws IOException {
        try (ModelFile file =
                SyntheticModel.of(SyntheticShape.TINY, TensorType.Q8_0).inMemory()) {
            return NumericsBenchmark.run(
                    file, Optional.of(activations), kv, KernelChoice.AUTO, POSITIONS, position -> {});
        }
    }
}

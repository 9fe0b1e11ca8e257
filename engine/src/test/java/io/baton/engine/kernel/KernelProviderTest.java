package io.baton.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.baton.engine.EngineException;
import io.baton.engine.KernelChoice;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelProviderTest {

    private static final int ANY = Lanes.F32.vectorBitSize();
    private static final String NO_COMPILER = "the build had no compiler";

    @Test
    void withoutNativeKernelsTheVectorApiComputesAndItIsSaidWhy() {
        KernelProvider.Choice choice = KernelProvider.fastest(List.of(), NO_COMPILER, ANY);
        assertThat(choice.kernels()).isInstanceOf(VectorKernels.class);
        assertThat(choice.why()).isEqualTo("no native ones: " + NO_COMPILER);
    }

    @Test
    void withoutVectorRegistersPlainJavaComputesAndItIsSaidWhy() {
        KernelProvider.Choice choice = KernelProvider.fastest(List.of(), NO_COMPILER, ANY / 2);
        assertThat(choice.kernels()).isInstanceOf(ScalarKernels.class);
        assertThat(choice.why())
                .isEqualTo("no native ones: %s; and vectors of %d bits, where this JVM has instructions for %d"
                        .formatted(NO_COMPILER, ANY, ANY / 2));
    }

    @Test
    void theBestNativeKernelsComputeWhereThereAreAny() {
        List<NativeKernels> natives = NativeKernels.all();
        assumeFalse(natives.isEmpty(), NativeKernels.whyNone());
        KernelProvider.Choice choice = KernelProvider.choose(KernelChoice.AUTO);
        assertThat(choice.kernels().name()).isEqualTo(natives.getFirst().name());
        assertThat(choice.why()).startsWith("the best this machine runs of native-");
        assertThat(KernelProvider.choose(KernelChoice.NATIVE).why()).isEqualTo("asked for; " + choice.why());
    }

    @Test
    void whatIsAskedForComputes() {
        assertThat(KernelProvider.choose(KernelChoice.VECTOR).kernels()).isInstanceOf(VectorKernels.class);
        KernelProvider.Choice scalar = KernelProvider.choose(KernelChoice.SCALAR);
        assertThat(scalar.kernels()).isInstanceOf(ScalarKernels.class);
        assertThat(scalar.why()).isEqualTo("asked for");
    }

    @Test
    void nativeKernelsThatAreNotThereAreRefusedWithTheReason() {
        assertThatThrownBy(() -> KernelProvider.best(List.of(), NO_COMPILER))
                .isInstanceOf(EngineException.class)
                .hasMessage("no native kernels: " + NO_COMPILER + "; choose auto, vector or scalar");
    }
}

package io.baton.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.model.files.ModelFileException;
import io.baton.testing.SharedFiles;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class EngineHostTest {

    private static final String MODEL = "stories260K-f32.gguf";

    @Test
    void enginesOfOneHostShareWeightsAndDifferInWhatTheyWereTold() {
        try (EngineHost host =
                EngineHost.open(SharedFiles.stories260K(MODEL), HostOptions.defaults(), LoadProgress.NONE)) {
            EngineOptions bf16 = EngineOptions.defaults();
            EngineOptions f32 = new EngineOptions(16, KvType.F32, 8, OptionalLong.of(1 << 20), 4, 4);
            try (Engine prefill = host.start("prefill", bf16);
                    Engine decode = host.start("decode", bf16);
                    Engine other = host.start("other", f32)) {
                assertThat(prefill.fingerprint()).isEqualTo(decode.fingerprint());
                assertThat(prefill.fingerprint().differenceFrom(other.fingerprint()))
                        .hasValueSatisfying(difference -> assertThat(difference).contains("numerics", "kv=f32"));
                assertThat(other.load().blockCapacity()).isEqualTo((1 << 20) / (5 * (int) other.unitBytes()));
            }
        }
    }

    @Test
    void aClosedEngineGivesItsMemoryBack() {
        try (EngineHost host =
                EngineHost.open(SharedFiles.stories260K(MODEL), HostOptions.defaults(), LoadProgress.NONE)) {
            long before = host.budget().remaining();
            for (int i = 0; i < 3; i++) {
                host.start("again", EngineOptions.defaults()).close();
            }
            assertThat(host.budget().remaining()).isEqualTo(before);
        }
    }

    @Test
    void aPoolBeyondTheLimitIsRefusedBeforeAnythingIsAllocated() {
        long limit = Runtime.getRuntime().maxMemory() + (300L << 20);
        HostOptions options = new HostOptions(Optional.empty(), KernelChoice.AUTO, 1, OptionalLong.of(limit));
        try (EngineHost host = EngineHost.open(SharedFiles.stories260K(MODEL), options, LoadProgress.NONE)) {
            EngineOptions large = new EngineOptions(32, KvType.BF16, 32, OptionalLong.of(1L << 40), 1, 1);
            assertThatThrownBy(() -> host.start("large", large))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("KV pool of large needs 1,048,5")
                    .hasMessageContaining("as told");
        }
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> EngineHost.open(Path.of("no-such.gguf"), HostOptions.defaults(), LoadProgress.NONE))
                .isInstanceOf(ModelFileException.class)
                .hasMessageContaining("no-such.gguf");
    }
}

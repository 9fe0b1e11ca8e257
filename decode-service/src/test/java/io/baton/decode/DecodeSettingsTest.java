package io.baton.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.EngineOptions;
import io.baton.serving.ListenSettings;
import io.baton.serving.Settings;
import io.baton.serving.SettingsException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DecodeSettingsTest {

    @Test
    void everySettingHasADefault() {
        DecodeSettings settings = from(Map.of());
        assertThat(settings.prefillAttempts()).isEqualTo(3);
        assertThat(settings.maxBufferedEvents()).isEqualTo(1024);
        assertThat(settings.prefillNodes()).isEmpty();
        assertThat(settings.address(7000)).isEqualTo("127.0.0.1:7000");
    }

    @Test
    void flagsSetThem() {
        DecodeSettings settings = from(Map.of(
                "prefill-nodes", "p-0:7070,p-1:7070", "prefill-attempts", "1", "advertise", "decode-0.svc:7080"));
        assertThat(settings.prefillNodes()).containsExactly("p-0:7070", "p-1:7070");
        assertThat(settings.prefillAttempts()).isEqualTo(1);
        assertThat(settings.address(7000)).isEqualTo("decode-0.svc:7080");
    }

    @Test
    void whatCannotBeIsRefusedByItsKey() {
        assertThatThrownBy(() -> from(Map.of("prefill-attempts", "4")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("prefill-attempts");
        assertThatThrownBy(() -> from(Map.of("prefill-nodes", "somewhere")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("HOST:PORT");
        assertThatThrownBy(() -> DecodeSettings.of(
                                "decode", ListenSettings.loopback(), EngineOptions.defaults(), List.of())
                        .withMaxKvStreams(0))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("max-kv-streams");
    }

    private static DecodeSettings from(Map<String, String> flags) {
        Settings settings = Settings.of(DecodeSettings.SETTINGS).flags(flags).load();
        return DecodeSettings.from(settings, "decode", ListenSettings.loopback(), EngineOptions.defaults());
    }
}

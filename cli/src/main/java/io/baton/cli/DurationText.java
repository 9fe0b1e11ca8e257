package io.baton.cli;

import io.baton.serving.Setting;
import io.baton.serving.Settings;
import io.baton.serving.SettingsException;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations on the command line read as they do in configuration files. */
final class DurationText implements ITypeConverter<Duration> {

    private static final Setting<Duration> DURATION = Setting.duration("duration", "");

    @Override
    public Duration convert(String text) {
        try {
            return Settings.of(List.of(DURATION))
                    .flag(DURATION.key(), text)
                    .load()
                    .value(DURATION);
        } catch (SettingsException e) {
            throw new TypeConversionException("expected a duration such as 250ms, 30s or 5m, found \"" + text + "\"");
        }
    }
}
